import { chmod, cp, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LocalBackend } from '../../backend/local/local-backend.ts';
import { openBackend } from '../../backend/open-backend.ts';
import { toByteString } from '../../format/byte-string.ts';
import type { PackId, SnapshotId, TreeId } from '../../format/ids.ts';
import { utcTimestamp } from '../../format/timestamp.ts';
import { initRepository } from '../../repository/init-repository.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot-store.ts';
import { backupSources } from '../../snapshot/backup.ts';
import type { BackupResult } from '../../snapshot/backup-request.ts';
import { restoreNode } from '../../snapshot/restore.ts';
import { findNode } from '../../snapshot/tree-reader.ts';
import { compareTrees } from '../../testing/compare-trees.ts';
import { FaultBackend } from '../../testing/fault-backend.ts';
import { quickRuntime } from '../../testing/quick-runtime.ts';
import { s3Place } from '../../testing/s3-place.ts';
import { type StockRestic, stockRestics } from '../../testing/stock-restic.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { testBytes } from '../../testing/test-bytes.ts';
import {
  snapshotOf,
  type TestRepository,
  testPassword,
  testRepository,
} from '../../testing/test-repository.ts';
import { forgetSnapshots } from '../forget.ts';
import { affectedSnapshots } from './affected-snapshots.ts';
import { dropFromIndex } from './drop-from-index.ts';
import { findDrift } from './find-drift.ts';

const restics = await stockRestics();

/** Files that are in packs of several backups, below directories that do not change. */
async function makeSource(path: string): Promise<void> {
  for (const name of ['kept', 'changed']) {
    await mkdir(join(path, name, 'deep'), { recursive: true });
    await writeFile(join(path, name, 'deep', 'small'), `small ${name}`);
    await writeFile(join(path, name, 'large'), testBytes(name, 3_000_000));
  }
}

interface TakenBackup {
  readonly snapshot: Snapshot;
  readonly result: BackupResult;
}

/** As a new process: with nothing known but what the repository says. Files count as unchanged by their status alone. */
async function backUp(repository: Repository, source: string, parent?: TreeId): Promise<TakenBackup> {
  await using lock = await repository.lock('shared');
  await using writer = await repository.openWriter({ lock });
  const { blobs, polynomial, snapshots } = repository;
  const result = await backupSources({
    writer,
    blobs,
    polynomial,
    sources: [{ path: source, treePath: ['data'] }],
    ...(parent === undefined ? {} : { parent: { treeId: parent, startedAtMs: Date.now() + 60_000 } }),
  });
  await writer.flush();
  const record = snapshotOf(result.treeId, { time: utcTimestamp(Date.now()) });
  return { snapshot: await snapshots.save(record, { lock }), result };
}

async function open({ backend }: Pick<TestRepository, 'backend'>): Promise<Repository> {
  return await openRepository({ backend, password: testPassword, runtime: quickRuntime() });
}

async function lostPacks(repository: Repository): Promise<readonly PackId[]> {
  await using _lock = await repository.lock('shared');
  const result = await findDrift(repository);
  return result.kind === 'none' ? [] : result.drift.packs.map(({ id }) => id);
}

async function affectedIds(repository: Repository, packs: readonly PackId[]): Promise<SnapshotId[]> {
  await using _lock = await repository.lock('shared');
  const { snapshots } = await repository.snapshots.list();
  const drift = { packs: packs.map((id) => ({ kind: 'missing', id }) as const) };
  return (await affectedSnapshots(repository, drift, snapshots)).map(({ id }) => id);
}

async function drop(repository: Repository, packs: readonly PackId[]): Promise<void> {
  await using lock = await repository.lock('exclusive');
  await dropFromIndex(repository, packs, { lock });
}

/** The pack of that file's first chunk, or of that directory's tree. */
async function packOf(repository: Repository, treeId: TreeId, path: string): Promise<PackId> {
  await repository.refreshIndex();
  const [first = '', ...others] = path.split('/').map(toByteString);
  const { content, subtree } = await findNode(repository.blobs, treeId, [toByteString(first), ...others]);
  const { current } = repository.storage.indexes;
  const place =
    subtree === undefined ? current.find('data', content?.[0] ?? treeId) : current.find('tree', subtree);
  if (place === undefined) throw new Error(`No index names ${path}.`);
  return place.packId;
}

async function expectRestored(
  repository: Repository,
  { tree: treeId }: Snapshot,
  source: string,
): Promise<void> {
  await using directory = await temporaryDirectory();
  const targetPath = join(directory.path, 'restored');
  await repository.refreshIndex();
  const { failureCount } = await restoreNode({
    blobs: repository.blobs,
    treeId,
    nodePath: ['data'],
    targetPath,
  });
  expect(failureCount).toBe(0);
  expect(compareTrees(targetPath, source)).toEqual([]);
}

async function expectRestoredByStock(
  restic: StockRestic,
  { path }: TestRepository,
  { id }: Snapshot,
  source: string,
): Promise<void> {
  await using directory = await temporaryDirectory();
  await restic.run(path, testPassword, 'restore', id, '--target', directory.path);
  expect(compareTrees(join(directory.path, 'data'), source)).toEqual([]);
}

/** What somebody does to a pack of the newest backup. */
const deeds = [
  { deed: 'the pack of a file is removed', path: 'data/kept/large', isRemoved: true },
  { deed: 'the pack of a file is cut off', path: 'data/kept/large', isRemoved: false },
  { deed: 'the pack of all trees is removed', path: 'data/kept/deep', isRemoved: true },
  { deed: 'the pack of all trees is cut off', path: 'data/kept/deep', isRemoved: false },
] as const;

describe.each(restics)('where, in the eyes of $version,', (restic) => {
  it.each(deeds)('$deed, the next backup stores again what is lost', async ({ path, isRemoved }) => {
    await using place = await testRepository({ locksAtOnce: true });
    await using directory = await temporaryDirectory();
    const [source, oldSource] = [join(directory.path, 'source'), join(directory.path, 'old')];
    await makeSource(source);
    const first = await backUp(place.repository, source);
    await cp(source, oldSource, { recursive: true, preserveTimestamps: true });
    await writeFile(join(source, 'changed', 'large'), testBytes('changed since', 3_000_000));
    const second = await backUp(place.repository, source, first.snapshot.tree);

    const pack = await packOf(place.repository, first.snapshot.tree, path);
    const file = join(place.path, 'data', pack.slice(0, 2), pack);
    await chmod(file, 0o600);
    if (isRemoved) await rm(file);
    else await truncate(file, 1000);
    // The old one tries for a minute to read a tree.
    if (path === 'data/kept/large') {
      await expect(restic.run(place.path, testPassword, 'check')).rejects.toThrow();
    }
    expect(await lostPacks(await open(place))).toEqual([pack]);
    const affected = await affectedIds(await open(place), [pack]);
    expect(affected).toContain(first.snapshot.id);

    await drop(await open(place), [pack]);
    expect(await affectedIds(await open(place), [])).toEqual(affected);
    const third = await backUp(await open(place), source, second.snapshot.tree);
    expect(third.result.treeId).toBe(second.result.treeId);
    expect(third.result.summary.storedBytes > 0).toBe(affected.includes(second.snapshot.id));
    expect(await lostPacks(await open(place))).toEqual([]);
    // The backup before needs nothing but what is stored again; the first one also what is nowhere else.
    const stillAffected = await affectedIds(await open(place), []);
    expect(stillAffected).not.toContain(second.snapshot.id);
    for (const { snapshot } of [second, third]) {
      await expectRestored(await open(place), snapshot, source);
      await expectRestoredByStock(restic, place, snapshot, source);
    }
    if (!stillAffected.includes(first.snapshot.id)) {
      await expectRestored(await open(place), first.snapshot, oldSource);
    }
    const repository = await open(place);
    {
      await using lock = await repository.lock('shared');
      await forgetSnapshots(repository, stillAffected, { lock });
    }
    await restic.run(place.path, testPassword, 'check', '--read-data');
    expect((await repository.snapshots.list()).snapshots.map(({ id }) => id)).toContain(third.snapshot.id);
  });
});

describe.each(restics)('dropping a lost pack, cut off at any moment, in the eyes of $version', (restic) => {
  it.each(['save', 'remove'] as const)(
    'at a %s: sound backups stay so, and it can be completed',
    async (method) => {
      await using template = await testRepository({ locksAtOnce: true });
      await using directory = await temporaryDirectory();
      const [source, others] = [join(directory.path, 'source'), join(directory.path, 'others')];
      await makeSource(source);
      await mkdir(others);
      await writeFile(join(others, 'other'), testBytes('other', 500_000));
      const lost = await backUp(template.repository, source);
      const sound = await backUp(template.repository, others);
      const pack = await packOf(template.repository, lost.snapshot.tree, 'data/kept/large');
      await template.backend.remove({ kind: 'data', id: pack });

      let calls = 0;
      for (let wasUsed = true; wasUsed; calls += 1) {
        const path = join(directory.path, `copy ${calls}`);
        await cp(template.path, path, { recursive: true });
        const copy = { ...template, path, backend: new LocalBackend(path) };
        const faults = [{ method, kind: 'index', calls: [calls + 1], effect: 'fails-after' } as const];
        const faulty = new FaultBackend(copy.backend, faults);
        await drop(await open({ backend: faulty }), [pack]).catch(() => {});
        wasUsed = faulty.script.unused.length === 0;
        await expectRestoredByStock(restic, copy, sound.snapshot, others);
        await expectRestored(await open(copy), sound.snapshot, others);

        await drop(await open(copy), [pack]);
        const repository = await open(copy);
        expect(await affectedIds(repository, [])).toEqual([lost.snapshot.id]);
        {
          await using lock = await repository.lock('shared');
          await forgetSnapshots(repository, [lost.snapshot.id], { lock });
        }
        await restic.run(path, testPassword, 'check', '--read-data');
      }
      expect(calls).toBeGreaterThan(1);
    },
  );
});

describe('drift in a bucket', () => {
  it('is looked for with listings alone where the cache has the indexes, and not hidden by it', async () => {
    await using place = await s3Place();
    await using directory = await temporaryDirectory();
    const source = join(directory.path, 'source');
    await makeSource(source);
    const operations: string[] = [];
    const s3 = {
      credentials: place.credentials,
      onRequest: (operation: string) => void operations.push(operation),
    };
    const backend = openBackend(place.location, { s3 });
    const cacheDirectory = join(directory.path, 'cache');
    const runtime = quickRuntime();
    await initRepository({ backend, passwords: [testPassword], runtime });
    const openCached = async (): Promise<Repository> =>
      await openRepository({ backend, password: testPassword, runtime, cacheDirectory });
    const first = await backUp(await openCached(), source);
    await writeFile(join(source, 'kept', 'new'), 'new');
    const second = await backUp(await openCached(), source, first.snapshot.tree);

    const repository = await openCached();
    operations.length = 0;
    expect(await findDrift(repository)).toEqual({ kind: 'none', packCount: 4 });
    // Snapshots, indexes and packs.
    expect(operations).toEqual(['ListObjectsV2', 'ListObjectsV2', 'ListObjectsV2']);

    const pack = await packOf(repository, second.snapshot.tree, 'data/kept');
    await place.open().remove({ kind: 'data', id: pack });
    expect(await lostPacks(await openCached())).toEqual([pack]);
    expect(await affectedIds(await openCached(), [pack])).toEqual([second.snapshot.id]);
    await drop(await openCached(), [pack]);
    const third = await backUp(await openCached(), source, second.snapshot.tree);
    expect(third.result.treeId).toBe(second.result.treeId);
    expect(await lostPacks(await openCached())).toEqual([]);
    const bare = await openRepository({ backend, password: testPassword, runtime });
    expect(await affectedIds(bare, [])).toEqual([]);
    await expectRestored(bare, third.snapshot, source);
  });
});
