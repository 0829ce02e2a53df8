import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { lockRepository, openAtLocation } from '@holdfast/engine';
import { compareTrees, makeEveryKind, stockRestics } from '@holdfast/engine/testing';
import { type FoundBackup, type Manifest, type SealedPart, snapshotTags } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { StartedMover } from './testing/started-mover.ts';
import { ownPassword, recoveryPassword, type TestPlace, testPlace } from './testing/task-specs.ts';

/** Repositories that real stock restic has made, and goes on using. */
const restic = (await stockRestics()).at(-1);
if (restic === undefined) throw new Error('there is no restic');
const signal = new AbortController().signal;
const password = "the owner's";

function run(place: TestPlace, ...args: readonly string[]): Promise<string> {
  if (restic === undefined) throw new Error('there is no restic');
  return restic.run(place.repository, password, ...args);
}

async function adopt(place: TestPlace, changes: Parameters<TestPlace['adopt']>[1] = {}) {
  const mover = new StartedMover(place.adopt(password, changes));
  const result = await mover.runThrough();
  return { ...result, ...eventsOf(mover) };
}

function eventsOf(mover: StartedMover) {
  const found = mover.events.flatMap((event): FoundBackup[] =>
    event.type === 'backup' ? [event.backup] : [],
  );
  const lines = mover.events.flatMap((event) => (event.type === 'log' ? [event.line.message] : []));
  return { found, manifests: found.map(({ manifest }) => manifest), lines };
}

interface StockSnapshot {
  readonly id: string;
  readonly time: string;
  readonly tree: string;
  readonly paths: readonly string[];
  readonly tags?: readonly string[];
}

/** Those that are its owner's. */
async function stockSnapshots(place: TestPlace): Promise<readonly StockSnapshot[]> {
  const all = JSON.parse(await run(place, 'snapshots', '--json')) as StockSnapshot[];
  return all.filter(({ tags = [] }) => !tags.some((tag) => tag.startsWith('holdfast:')));
}

/** A file in each, and a snapshot of both folders. */
async function twoFolders(place: TestPlace): Promise<readonly [string, string]> {
  const folders = ['home', 'etc'].map((name) => join(place.folder, name)) as [string, string];
  for (const folder of folders) {
    mkdirSync(join(folder, 'deep'), { recursive: true });
    writeFileSync(join(folder, 'deep', 'note'), folder);
  }
  await run(place, 'init');
  await run(place, 'backup', ...folders, '--host', 'laptop', '--tag', 'daily');
  return folders;
}

async function restore(place: TestPlace, manifest: Manifest): Promise<ReadonlyMap<string, string>> {
  const targets = new Map(
    manifest.parts.map(({ name }, index) => [
      name,
      join(place.folder, `restored-${manifest.backupId}-${index}`),
    ]),
  );
  for (const target of targets.values()) mkdirSync(target);
  const mover = new StartedMover(place.restore(manifest, Object.fromEntries(targets)));
  expect(await mover.runThrough()).toMatchObject({ outcome: 'done', error: null });
  return targets;
}

test('each snapshot becomes a backup that restores as it was, and stock restic goes on as before', async () => {
  await using place = await testPlace();
  const source = join(place.folder, 'source');
  makeEveryKind(source);
  await run(place, 'init');
  await run(place, 'backup', source, '--host', 'laptop', '--tag', 'first');
  appendFileSync(join(source, 'files', 'small'), 'more\n');
  await run(place, 'backup', source, '--host', 'laptop');
  rmSync(join(source, 'files', 'large'));
  await run(place, 'backup', source, '--host', 'laptop');
  const stock = await stockSnapshots(place);
  const packBytes = () => sizeBelow(join(place.repository, 'data'));
  const before = packBytes();

  const { outcome, error, manifests } = await adopt(place);
  expect({ outcome, error }).toEqual({ outcome: 'done', error: null });
  expect(manifests.map(({ createdAtMs }) => createdAtMs)).toEqual(stock.map(({ time }) => Date.parse(time)));
  expect(manifests[0]).toMatchObject({
    kind: 'imported',
    mode: 'live',
    expiresAtMs: null,
    description: `restic ${stock[0]?.id.slice(0, 8)} of laptop: ${source} (first)`,
    environment: { name: 'laptop' },
    parts: [{ name: source, source: { kind: 'bind', path: source }, mountPoints: [], storedBytes: 0 }],
  });
  expect(packBytes() - before).toBeLessThan(40_000);
  expect(await stockSnapshots(place)).toEqual(stock);
  await run(place, 'check', '--read-data');

  const newest = manifests.at(-1);
  const [target] = newest === undefined ? [] : (await restore(place, newest)).values();
  expect(compareTrees(source, target ?? '')).toEqual([]);
  // Stock restic has the same of ours as of its own.
  const byRestic = join(place.folder, 'by-restic');
  await run(place, 'restore', newest?.parts[0]?.snapshotId ?? '', '--target', byRestic);
  expect(compareTrees(source, join(byRestic, 'data'))).toEqual([]);
  for (const each of [ownPassword, recoveryPassword]) {
    await openAtLocation({ location: place.repository, password: each }, { signal });
  }
}, 120_000);

test('running it again takes in what is new since, and tells what is there; keys are added once', async () => {
  await using place = await testPlace();
  const [home] = await twoFolders(place);
  const first = await adopt(place);
  expect(first.manifests[0]?.parts.map(({ name, files }) => [name, files])).toEqual([
    [join(place.folder, 'home'), 1],
    [join(place.folder, 'etc'), 1],
  ]);
  const files = () => filesBelow(place.repository).filter((path) => !path.includes('/locks/'));
  const before = files();
  const again = await adopt(place);
  expect(again.manifests).toEqual(first.manifests);
  expect(files()).toEqual(before);

  await run(place, 'backup', home);
  const third = await adopt(place);
  expect(third.manifests.map(({ backupId }) => backupId)).toEqual([
    first.manifests[0]?.backupId,
    expect.stringMatching(/^bak_/),
  ]);
  expect(readdirSync(join(place.repository, 'keys'))).toHaveLength(3);
  await run(place, 'check', '--read-data');
});

test('what was left of a run that was cut off before its manifests is used again', async () => {
  await using place = await testPlace();
  await twoFolders(place);
  const { manifests } = await adopt(place);
  for (const { id, tags = [] } of JSON.parse(await run(place, 'snapshots', '--json')) as StockSnapshot[]) {
    if (tags.includes(snapshotTags.manifest)) rmSync(join(place.repository, 'snapshots', id));
  }
  const again = await adopt(place);
  const partsOf = (of: readonly Manifest[]): readonly SealedPart[] => of.flatMap(({ parts }) => parts);
  expect(partsOf(again.manifests)).toEqual(partsOf(manifests));
});

test('paths that stand otherwise in the tree, volumes, single files and what cannot be told apart', async () => {
  await using place = await testPlace();
  const volume = join(place.folder, 'docker', 'volumes', 'shop_data', '_data');
  mkdirSync(volume, { recursive: true });
  writeFileSync(join(volume, 'ledger'), 'paid');
  chmodSync(volume, 0o2750);
  await run(place, 'init');
  const inFolder = (...args: readonly string[]) =>
    execFileSync(restic?.program ?? '', ['--no-cache', '-r', place.repository, ...args], {
      cwd: place.folder,
      env: { ...process.env, RESTIC_PASSWORD: password },
      stdio: 'ignore',
    });
  inFolder('backup', volume);
  inFolder('backup', 'docker/volumes');
  inFolder('backup', '.', '--exclude', 'repository', '--exclude', '*.jsonl', '--exclude', '*.scratch');
  inFolder('backup', join(volume, 'ledger'));
  inFolder('backup', join(place.folder, 'docker'), volume);

  const { manifests, error } = await adopt(place);
  expect(error).toBe(null);
  const parts = manifests.map((manifest) => manifest.parts.map(({ source, files }) => ({ source, files })));
  const bind = (path: string) => [{ source: { kind: 'bind', path }, files: 1 }];
  expect(parts).toEqual([
    [
      {
        source: { kind: 'volume', name: 'shop_data', driver: 'local', labels: {}, options: {} },
        files: 1,
      },
    ],
    bind(join(place.folder, 'docker', 'volumes')),
    bind(place.folder),
    bind(join(volume, 'ledger')),
    bind(join(place.folder, 'docker')),
  ]);
  const [asVolume, , asWhole] = manifests;
  if (asVolume === undefined || asWhole === undefined) throw new Error('not adopted');
  const [target = ''] = (await restore(place, asVolume)).values();
  expect(readFileSync(join(target, 'ledger'), 'utf8')).toBe('paid');
  expect(lstatSync(target).mode & 0o7777).toBe(0o2750);
  const [whole = ''] = (await restore(place, asWhole)).values();
  expect(existsSync(join(whole, 'docker', 'volumes', 'shop_data', '_data', 'ledger'))).toBe(true);
});

test('a dry run tells what there would be, and writes nothing that stays', async () => {
  await using place = await testPlace();
  const [home] = await twoFolders(place);
  const before = filesBelow(place.repository);
  const { outcome, found, lines } = await adopt(place, { isDryRun: true });
  expect({ outcome, found }).toEqual({ outcome: 'done', found: [] });
  expect(lines.join('\n')).toMatch(new RegExp(`Would be a backup: restic \\w+ of laptop: ${home}`));
  expect(filesBelow(place.repository)).toEqual(before);
});

test('deleting one removes ours alone', async () => {
  await using place = await testPlace();
  await twoFolders(place);
  const stock = await stockSnapshots(place);
  const { manifests } = await adopt(place);
  const forgetting = new StartedMover(place.forget(...manifests));
  forgetting.send({ type: 'go' });
  expect(await forgetting.sees('result')).toMatchObject({ outcome: 'done' });
  expect(JSON.parse(await run(place, 'snapshots', '--json'))).toEqual(stock);
  await run(place, 'prune');
  await run(place, 'check', '--read-data');
});

test('what cannot be adopted is told by its code, and stays as it is', async () => {
  await using place = await testPlace();
  const failing = async (changes: Parameters<TestPlace['adopt']>[1] = {}) =>
    (await adopt(place, changes)).error;
  const at = (location: string, given = password) => ({ repository: { location, password: given } });
  expect(await failing()).toMatchObject({ code: 'repository-missing' });
  await run(place, 'init');
  expect(await failing()).toMatchObject({
    code: 'repository-empty',
    hint: expect.stringContaining('restic backup'),
  });
  const home = join(place.folder, 'home');
  mkdirSync(home);
  await run(place, 'backup', home);
  const before = filesBelow(place.repository);
  expect(await failing(at(place.repository, 'wrong'))).toMatchObject({ code: 'password-wrong' });
  expect(filesBelow(place.repository)).toEqual(before);

  const old = join(place.folder, 'old');
  await restic?.run(old, password, 'init', '--repository-version', '1');
  expect(await failing(at(old))).toMatchObject({
    code: 'repository-unsupported',
    hint: expect.stringContaining('restic migrate upgrade_repo_v2'),
  });

  await adopt(place);
  const environment = { ...place.adopt(password).environment, id: `env_${'1'.repeat(16)}` as never };
  expect(await failing({ environment })).toMatchObject({
    code: 'repository-exists',
    message: expect.stringContaining('backups of the environment laptop'),
    hint: expect.stringContaining('vault:adopt VAULT'),
  });
}, 120_000);

test('a storage that cannot be written to is told', async () => {
  await using place = await testPlace();
  await twoFolders(place);
  execFileSync('mount', ['--bind', place.repository, place.repository]);
  try {
    execFileSync('mount', ['-o', 'remount,bind,ro', place.repository]);
    expect(await adopt(place)).toMatchObject({
      outcome: 'failed',
      error: { code: 'storage-not-writable' },
    });
  } finally {
    execFileSync('umount', [place.repository]);
  }
});

test('a snapshot whose tree is gone or cannot be read is a warning; the others are taken in', async () => {
  await using place = await testPlace();
  const [home, etc] = await twoFolders(place);
  const packs = () => filesBelow(join(place.repository, 'data'));
  const before = new Set(packs());
  writeFileSync(join(home, 'other'), 'another tree');
  await run(place, 'backup', home);
  for (const path of packs()) if (!before.has(path)) rmSync(path);
  await run(place, 'backup', etc);
  writeFileSync(join(place.repository, 'snapshots', 'a'.repeat(64)), 'garbage');

  const { outcome, manifests, warnings } = await adopt(place);
  expect(outcome).toBe('warnings');
  expect(manifests.map(({ parts }) => parts.map(({ name }) => name))).toEqual([[home, etc], [etc]]);
  expect(warnings).toHaveLength(2);
  expect(warnings.join('\n')).toContain('a'.repeat(64));
  expect(warnings.join('\n')).toMatch(/cannot be restored whole .*left out: restic \w{8} of /);
});

test('a backup of stock restic that is under way is no hindrance; an exclusive lock is told, and can be waited out', async () => {
  await using place = await testPlace();
  await twoFolders(place);
  const repository = await openAtLocation({ location: place.repository, password }, { signal });
  {
    await using _ = await lockRepository(repository, { signal });
    expect(await adopt(place)).toMatchObject({ outcome: 'done' });
  }
  const locked = await lockRepository(repository, { signal, kind: 'exclusive' });
  const mover = new StartedMover(place.adopt(password));
  mover.send({ type: 'go' });
  const { line } = await mover.sees('log');
  expect(line.message).toMatch(/^The repository is locked by process \d+ on .*: waiting for it/);
  await locked[Symbol.asyncDispose]();
  mover.send({ type: 'cancel' });
  expect(await mover.sees('result')).toMatchObject({
    outcome: 'cancelled',
    error: { code: 'interrupted' },
  });
  expect(await adopt(place)).toMatchObject({ outcome: 'done' });
});

test('cancelled at any moment, what is there is true, and the next run completes it', async () => {
  await using place = await testPlace();
  const [home] = await twoFolders(place);
  for (let count = 0; count < 4; count += 1) {
    writeFileSync(join(home, 'deep', 'note'), String(count));
    await run(place, 'backup', home);
  }
  for (const afterMs of [400, 1200, 2400]) {
    const mover = new StartedMover(place.adopt(password));
    mover.send({ type: 'go' });
    setTimeout(() => mover.closeInput(), afterMs);
    const { outcome } = await mover.sees('result');
    await mover.exited;
    if (outcome === 'done') break;
    await run(place, 'check', '--read-data');
  }
  const { outcome, manifests } = await adopt(place);
  expect(outcome).toBe('done');
  expect(manifests).toHaveLength(5);
  expect(new Set(manifests.map(({ backupId }) => backupId)).size).toBe(5);
  await run(place, 'check', '--read-data');
}, 120_000);

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function sizeBelow(path: string): number {
  return filesBelow(path).reduce((total, file) => total + lstatSync(file).size, 0);
}
