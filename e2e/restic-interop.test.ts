import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compareTrees } from '@holdfast/engine/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Holdfast } from './support/holdfast.ts';
import { mustRun } from './support/process.ts';
import { seededRandom } from './support/random.ts';
import { resticPrograms } from './support/restic.ts';

/** The same tree, backed up by Holdfast and by stock restic into one repository, in both orders. */
const holdfast = new Holdfast();
let folder: string;
let tree: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-interop-'));
  tree = join(folder, 'tree');
  makeTree(tree);
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await holdfast[Symbol.asyncDispose]();
});

describe.each(resticPrograms)('with stock restic at %s', (program) => {
  const environment = (repository: string) => ({
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'one for both',
    RESTIC_CACHE_DIR: join(folder, 'cache'),
  });

  it('what restic made is listed, checked and restored byte-identical, and our backup of it adds under 1 %', async () => {
    const repository = join(folder, `by-${basename(program)}-${resticPrograms.indexOf(program)}`);
    const env = environment(repository);
    await mustRun(program, ['init'], { env });
    await mustRun(program, ['backup', tree], { env, timeoutMs: 300_000 });
    const first = bytesBelow(repository);

    const [snapshot] = JSON.parse(await holdfast.mustRun(['repository:snapshots', '--json'], { env }));
    expect(snapshot.paths).toEqual([tree]);
    await holdfast.mustRun(['repository:check', '--read-data'], { env, timeoutMs: 300_000 });
    const target = join(repository, '..', 'restored-by-us');
    await holdfast.mustRun(['repository:restore', 'latest', '--target', target], { env, timeoutMs: 300_000 });
    expect(await compareTrees(tree, join(target, tree))).toEqual([]);
    rmSync(target, { recursive: true });

    await holdfast.mustRun(['repository:backup', tree, '--force'], { env, timeoutMs: 300_000 });
    expect((bytesBelow(repository) - first) / first).toBeLessThan(0.01);
    await mustRun(program, ['check'], { env, timeoutMs: 300_000 });
    rmSync(repository, { recursive: true });
  });

  it('what we made, restic checks and restores byte-identical, and its backup of it adds under 1 %', async () => {
    const repository = join(folder, 'by-us');
    const env = environment(repository);
    await holdfast.mustRun(['repository:init'], { env });
    await holdfast.mustRun(['repository:backup', tree], { env, timeoutMs: 300_000 });
    const first = bytesBelow(repository);

    await mustRun(program, ['check', '--read-data'], { env, timeoutMs: 300_000 });
    const target = join(folder, 'restored-by-restic');
    await mustRun(program, ['restore', 'latest', '--target', target], { env, timeoutMs: 300_000 });
    expect(await compareTrees(tree, join(target, tree))).toEqual([]);
    rmSync(target, { recursive: true });

    await mustRun(program, ['backup', '--force', tree], { env, timeoutMs: 300_000 });
    expect((bytesBelow(repository) - first) / first).toBeLessThan(0.01);
    rmSync(repository, { recursive: true });
  });
});

/** 5,120 files and 520 MiB: many small ones, some of many chunks; some that compress and some that do not. */
function makeTree(root: string): void {
  const random = seededRandom(7);
  const noise = Buffer.alloc(64 * 1024 * 1024);
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE((random() * 2 ** 32) >>> 0, at);
  const text = Buffer.from(
    'A line of text that compresses rather well, as most lines of text do.\n'.repeat(320_000),
  );
  for (let index = 0; index < 5_120; index += 1) {
    const directory = join(root, `d${index % 40}`, `e${index % 7}`);
    mkdirSync(directory, { recursive: true });
    const large = index % 320 === 0;
    const source = index % 3 === 0 ? text : noise;
    const size = large ? 22_000_000 : 1 + Math.floor(random() * 80_000);
    const start = Math.floor(random() * Math.max(1, source.length - size));
    writeFileSync(join(directory, `f${index}`), source.subarray(start, start + size));
  }
  if (bytesBelow(root) < 500 * 1024 * 1024) throw new Error('The tree is too small.');
}

function bytesBelow(root: string): number {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((total, entry) => total + statSync(join(entry.parentPath, entry.name)).size, 0);
}
