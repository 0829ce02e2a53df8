import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from './lib/machine.ts';
import { type RecordedFigure, Results, type ResultsFile, type UnmeasuredCase } from './lib/results-file.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const execute = promisify(execFile);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-test-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function bench(set: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, HOLDFAST_BENCH_DIR: folder };
  const { stdout } = await execute(process.execPath, [main, set, ...args], { env });
  return stdout;
}

function readResults(set: string): ResultsFile {
  return JSON.parse(readFileSync(join(folder, `${set}-quick.json`), 'utf8')) as ResultsFile;
}

/** Says why, where a case gave none. */
function figureOf(results: ResultsFile, name: string): RecordedFigure {
  const found = results.cases.find((one) => one.case === name || name.startsWith(`${one.case}/`));
  const unmeasured = found as UnmeasuredCase | undefined;
  expect(unmeasured?.failed ?? unmeasured?.skipped).toBeUndefined();
  const figure = results.cases.find((one) => one.case === name);
  if (figure === undefined || !('ratio' in figure)) throw new Error(`There is no figure ${name}.`);
  return figure;
}

describe('npm run bench', () => {
  it('lists its cases', async () => {
    expect(await bench('engine', '--list')).toMatch(/^first-backup-file: .*\n/);
    expect(await bench('capture', '--list')).toMatch(/^freeze-files: .*\n/);
    expect(await bench('restore', '--list')).toMatch(/^restore-in-place: .*\n/);
  });

  it('measures the programs beside each other, records every run, and leaves nothing else behind', async () => {
    await bench('engine', '--quick', '--case', 'first-backup-incompressible', '--case', 'restore-file');
    const results = readResults('engine');
    expect(results).toMatchObject({ name: 'engine', commit: expect.stringMatching(/^[0-9a-f]{40}$/) });
    const figure = figureOf(results, 'first-backup-incompressible');
    expect(figure).toMatchObject({ peer_name: 'restic', unit: 'MiB/s', rounds: 1, commit: results.commit });
    expect(figure.ours).toBeGreaterThan(0);
    expect(figure.met).toBe((figure.ratio ?? 0) >= 1.6);
    const one = { wall_seconds: { runs: [expect.any(Number)] }, cpu_seconds: { runs: [expect.any(Number)] } };
    expect(figure.details?.runs).toMatchObject([
      { ...one, name: 'holdfast', peak_memory_mib: {}, repository_mib: {} },
      { ...one, name: 'restic' },
      { ...one, name: 'restic --no-extra-verify' },
      ...(results.machine.borg === null ? [] : [{ ...one, name: expect.stringMatching(/^borg/) }]),
      { ...one, name: expect.stringContaining('from memory') },
    ]);
    expect(figureOf(results, 'first-backup-incompressible/physical-limit').ratio).toBeGreaterThan(0);
    expect(figureOf(results, 'first-backup-incompressible/repository-size').ratio).toBeCloseTo(1, 1);
    expect(figureOf(results, 'restore-file/bare-writing').ours).toBeGreaterThan(0);
    expect((await readdir(folder)).sort()).toEqual(['compiled', 'engine-quick.json', 'inputs', 'password']);
  });

  it('measures how long containers stand still, by their own heartbeats, and what becomes of requests', async () => {
    await bench('capture', '--quick', '--case', 'freeze-files', '--case', 'gate-requests');
    const results = readResults('capture');
    const freeze = figureOf(results, 'freeze-files');
    expect(freeze).toMatchObject({ peer_name: 'stop, tar | zstd, start', unit: 's' });
    expect(freeze.ours).toBeGreaterThan(0);
    expect(freeze.peer).toBeGreaterThan(0);
    expect(freeze.details?.pieces).toMatchObject([{ files: 4, pause_ms: expect.any(Number) }]);
    expect(figureOf(results, 'gate-requests')).toMatchObject({ ours: 0, met: true });
    expect(figureOf(results, 'gate-requests/longest-wait').ours).toBeGreaterThan(0);
  });

  it('measures what a restore costs an app, and downloads', async () => {
    await bench('restore', '--quick', '--case', 'restore-in-place', '--case', 'download');
    const results = readResults('restore');
    const downtime = figureOf(results, 'restore-in-place');
    expect(downtime).toMatchObject({ peer_name: 'docker stop, docker start', unit: 's' });
    expect(downtime.ours).toBeGreaterThan(0);
    expect(downtime.peer).toBeGreaterThan(0);
    expect(figureOf(results, 'download').ratio).toBeGreaterThan(0);
    expect(figureOf(results, 'download/zip').ratio).toBeGreaterThan(0);
  });

  it('refuses a case or a set that there is not', async () => {
    const refused = (words: string) => ({ code: 2, stderr: expect.stringContaining(words) });
    await expect(bench('engine', '--case', 'nothing')).rejects.toMatchObject(
      refused('There is no case nothing.'),
    );
    await expect(bench('everything')).rejects.toMatchObject(refused('engine, capture, restore'));
  });
});

describe('the results of a run of some cases', () => {
  const commit = { commit: 'b'.repeat(40), dirty: false };
  const machine = { processor: 'fast', processors: 2 } as Machine;
  const head = { name: 'engine', ...commit, date: '2026-01-02', machine };
  const facts = { ...commit, date: '2026-01-02', rounds: 5, scale: 1 };
  const figureNamed = (name: string, ours: number): RecordedFigure => ({
    ...{
      case: name,
      reach: 'ratio ≥ 2',
      ours,
      peer: 1,
      peer_name: 'restic',
      ratio: ours,
      unit: 'MiB/s',
      met: true,
    },
    ...facts,
  });
  const casesAt = (path: string) => (JSON.parse(readFileSync(path, 'utf8')) as ResultsFile).cases;

  it('take the place of the same cases, keep the others, and keep the order', () => {
    const path = join(folder, 'some.json');
    const first = new Results(path, head);
    for (const name of ['prune', 'restore'])
      first.replace(name, [figureNamed(name, 2), figureNamed(`${name}/size`, 2)]);
    first.save(['restore', 'prune']);
    const second = new Results(path, head);
    second.replace('prune', [figureNamed('prune', 3)]);
    second.noteSkipped({ case: 'restore', skipped: 'not today', ...facts });
    second.noteSkipped({ case: 's3', skipped: 'no server', ...facts });
    second.save(['restore', 'prune', 's3']);
    expect(casesAt(path)).toMatchObject([
      { case: 'restore', ours: 2 },
      { case: 'restore/size', ours: 2 },
      { case: 'prune', ours: 3 },
      { case: 's3', skipped: 'no server' },
    ]);
  });

  it('are not mixed with those of another machine', () => {
    const path = join(folder, 'machines.json');
    const first = new Results(path, head);
    first.replace('prune', [figureNamed('prune', 2)]);
    first.save(['prune']);
    const second = new Results(path, { ...head, machine: { ...machine, processors: 64 } });
    second.save(['prune']);
    expect(casesAt(path)).toEqual([]);
  });
});
