import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestEngine, type TestEngine } from '@holdfast/docker/testing';
import { type StockRestic, stockRestics } from '@holdfast/engine/testing';
import { type BackupTask, type Manifest, manifestSchema } from '@holdfast/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StartedMover } from '../testing/started-mover.ts';
import { recoveryPassword, type TestPlace, testPlace } from '../testing/task-specs.ts';

let engine: TestEngine;
let restics: readonly StockRestic[];

beforeAll(async () => {
  engine = await openTestEngine();
  restics = await stockRestics();
});

afterAll(() => engine?.[Symbol.asyncDispose]());

type CodeTask = NonNullable<BackupTask['code']>;
type Folder = NonNullable<CodeTask['folder']>;

const model = '{"secret":"not for logs"}\n';
const commit = '0123456789'.repeat(4);

function codeTask(path: string | null, changes: Partial<Folder> = {}): CodeTask {
  const whole = { leftOut: [], limits: { entries: 1000, bytes: 1_000_000 }, isRequired: false };
  const folder = path && {
    path,
    nodePaths: [path],
    files: ['compose.yaml', '.env', 'none'],
    whole,
    ...changes,
  };
  return { name: 'code', model, folder: folder || null, parentSnapshotId: null };
}

async function backUp(
  place: TestPlace,
  changes: Partial<BackupTask>,
  outcome = 'done',
): Promise<{ readonly manifest: Manifest; readonly said: string }> {
  const mover = new StartedMover(place.backup([], changes));
  expect(await mover.runThrough()).toMatchObject({ outcome, error: null });
  const { manifest } = await mover.sees('committed');
  return { manifest: manifestSchema.parse(manifest), said: JSON.stringify(mover.events) };
}

/** Each path that stock restic lists of a part, from its `data` on. */
async function listed(place: TestPlace, manifest: Manifest, part = 0): Promise<string[]> {
  const snapshot = manifest.parts[part]?.snapshotId ?? '';
  const restic = restics.at(-1);
  const lines = (await restic?.run(place.repository, recoveryPassword, 'ls', snapshot)) ?? '';
  return lines
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('/data/'))
    .map((line) => line.slice('/data/'.length));
}

async function dumped(place: TestPlace, manifest: Manifest, path: string): Promise<string> {
  const snapshot = manifest.parts[0]?.snapshotId ?? '';
  return (
    (await restics.at(-1)?.run(place.repository, recoveryPassword, 'dump', snapshot, `/data/${path}`)) ?? ''
  );
}

function fillProject(place: TestPlace): string {
  const path = join(place.folder, 'project [1]');
  mkdirSync(join(path, '.git/refs/heads'), { recursive: true });
  writeFileSync(join(path, '.git/HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(join(path, '.git/refs/heads/main'), `${commit}\n`);
  mkdirSync(join(path, 'db data*/base'), { recursive: true });
  mkdirSync(join(path, 'db data2'));
  writeFileSync(join(path, 'db data*/base/1'), 'left out');
  writeFileSync(join(path, 'compose.yaml'), 'services: {}\n');
  writeFileSync(join(path, '.env'), 'A=b\n', { mode: 0o640 });
  chmodSync(path, 0o751);
  return path;
}

test('the model and the folder, without what is mounted from there; the commit is that of what was saved', async () => {
  await using place = await testPlace();
  const path = fillProject(place);
  const whole = { leftOut: ['db data*'], limits: { entries: 1000, bytes: 1_000_000 }, isRequired: false };
  const { manifest, said } = await backUp(place, { code: codeTask(path, { whole }) });
  expect(manifest).toMatchObject({
    mode: 'consistent',
    parts: [{ name: 'code', source: { kind: 'code', commitId: commit, isWhole: true }, mountPoints: [] }],
  });
  expect(await listed(place, manifest)).toEqual([
    'model.json',
    'project',
    'project/.env',
    'project/.git',
    'project/.git/HEAD',
    'project/.git/refs',
    'project/.git/refs/heads',
    'project/.git/refs/heads/main',
    'project/compose.yaml',
    'project/db data2',
  ]);
  expect(await dumped(place, manifest, 'model.json')).toBe(model);
  expect(said).not.toContain('not for logs');
  for (const { run } of restics) await run(place.repository, recoveryPassword, 'check', '--read-data');

  const parentSnapshotId = manifest.parts[0]?.snapshotId ?? null;
  const again = await backUp(place, {
    code: { ...codeTask(path, { whole }), parentSnapshotId },
    initialize: null,
  });
  // Only what says when the model was written.
  const [before, after] = [manifest, again.manifest].map(({ parts }) => parts[0]?.storedBytes ?? 0);
  expect(after).toBeLessThan((before ?? 0) / 2);
});

test('hostile contents are bytes: nothing of a repository runs, and no link leads out', async () => {
  await using place = await testPlace();
  const path = fillProject(place);
  const ran = join(place.folder, 'ran');
  const program = join(path, 'evil');
  writeFileSync(program, `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
  writeFileSync(
    join(path, '.git/config'),
    `[core]\nfsmonitor=${program}\nhooksPath=${path}\n[filter "x"]\nclean=${program}\nsmudge=${program}\n`,
  );
  writeFileSync(join(path, '.gitattributes'), '* filter=x\n');
  writeFileSync(join(place.folder, 'outside'), `${commit}\n`);
  writeFileSync(join(path, '.git/HEAD'), 'ref: refs/heads/link\n');
  symlinkSync(join(place.folder, 'outside'), join(path, '.git/refs/heads/link'));
  const { manifest } = await backUp(place, { code: codeTask(path) });
  expect(manifest.parts[0]?.source).toEqual({ kind: 'code', commitId: null, isWhole: true });
  expect(existsSync(ran)).toBe(false);
});

test('of a folder above the limits, or that is not to be taken, the Compose files are kept', async () => {
  await using place = await testPlace();
  const path = fillProject(place);
  const kept = ['model.json', 'project', 'project/.env', 'project/compose.yaml'];
  const limits = { entries: 5, bytes: 1_000_000 };
  const large = await backUp(
    place,
    { code: codeTask(path, { whole: { leftOut: [], limits, isRequired: false } }) },
    'warnings',
  );
  expect(await listed(place, large.manifest)).toEqual(kept);
  expect(large.said).toContain('more than 5 entries');
  const required = codeTask(path, { whole: { leftOut: [], limits, isRequired: true } });
  const refused = new StartedMover(place.backup([], { code: required, initialize: null }));
  expect(await refused.runThrough()).toMatchObject({ outcome: 'failed', error: { code: 'code-refused' } });
  const partly = await backUp(place, { code: codeTask(path, { whole: null }), initialize: null });
  expect(await listed(place, partly.manifest)).toEqual(kept);
  const none = await backUp(place, { code: codeTask(null), initialize: null });
  expect(await listed(place, none.manifest)).toEqual(['model.json']);
  expect(none.manifest.parts[0]?.source).toEqual({ kind: 'code', commitId: null, isWhole: false });
});

test('an image is what docker save writes; under the same id it is taken over', async () => {
  await using place = await testPlace();
  const { id } = (await engine.docker.images.inspect(engine.image)) ?? { id: '' };
  const image: BackupTask['images'][number] = {
    name: `image:${engine.image}`,
    source: { kind: 'image', imageId: id, reference: engine.image, components: ['web'] },
    dockerHost: engine.host,
    known: null,
  };
  const first = (await backUp(place, { images: [image] })).manifest.parts[0];
  expect(first).toMatchObject({ name: image.name, source: image.source, files: 1 });
  const { snapshotId = '', treeId = '', bytes = 0, storedBytes = 0 } = first ?? {};
  expect(storedBytes).toBeGreaterThan(0);
  const saved = await restics.at(-1)?.run(place.repository, recoveryPassword, 'dump', snapshotId, '/data');
  expect(saved).toContain('manifest.json');

  const known = { snapshotId, treeId };
  const nobody = `unix://${engine.folder}/none.sock`;
  const taken = { ...image, dockerHost: nobody, known };
  const second = await backUp(place, { images: [taken], initialize: null });
  expect(second.manifest.parts[0]).toMatchObject({ treeId, bytes, files: 1, storedBytes: 0 });
  expect(second.manifest.parts[0]?.snapshotId).not.toBe(snapshotId);

  const gone = { ...image, known: { snapshotId: 'a'.repeat(64), treeId } };
  const third = await backUp(place, { images: [gone], initialize: null });
  expect(third.manifest.parts[0]).toMatchObject({ treeId, bytes });
  const failing = new StartedMover(
    place.backup([], { images: [{ ...taken, known: null }], initialize: null }),
  );
  expect(await failing.runThrough()).toMatchObject({
    outcome: 'failed',
    error: { code: 'docker-unreachable' },
  });
  for (const { run } of restics) await run(place.repository, recoveryPassword, 'check', '--read-data');
});

test('the final pass sees what was changed meanwhile', async () => {
  await using place = await testPlace();
  const path = fillProject(place);
  const mover = new StartedMover(place.backup([], { code: codeTask(path) }));
  await mover.sees('started');
  mover.send({ type: 'go' });
  await mover.sees('precopied');
  const next = commit.replaceAll('0', 'f');
  writeFileSync(join(path, '.git/refs/heads/main'), `${next}\n`);
  mover.send({ type: 'frozen' });
  await mover.sees('captured');
  mover.send({ type: 'thawed' });
  await mover.sees('sealed');
  mover.send({ type: 'commit' });
  const manifest = manifestSchema.parse((await mover.sees('committed')).manifest);
  expect(manifest).toMatchObject({ mode: 'consistent', parts: [{ source: { commitId: next } }] });
  expect(await dumped(place, manifest, 'project/.git/refs/heads/main')).toBe(`${next}\n`);
  expect(readFileSync(join(path, 'compose.yaml'), 'utf8')).toBe('services: {}\n');
});
