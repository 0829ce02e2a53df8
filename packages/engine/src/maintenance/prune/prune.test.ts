import { chmod, readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { asId } from '../../format/id-codec.ts';
import type { BlobId, IndexId, SnapshotId } from '../../format/ids.ts';
import { encodeIndexFile } from '../../format/index-file.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { quickRuntime } from '../../testing/quick-runtime.ts';
import { type SavedDirectory, saveDirectory, saveSnapshot } from '../../testing/saved-directory.ts';
import { testBytes } from '../../testing/test-bytes.ts';
import { type TestRepository, testPassword, testRepository } from '../../testing/test-repository.ts';
import { checkRepository } from '../check.ts';
import { forgetSnapshots } from '../forget.ts';
import { type ExecuteOptions, executePrune, type PruneResult } from './execute-prune.ts';
import { planPrune } from './plan-prune.ts';
import type { PruneOptions } from './prune-options.ts';
import type { PruneFigures } from './prune-plan.ts';

type Options = Omit<PruneOptions, 'lock'> & ExecuteOptions;

async function prune(
  repository: Repository,
  options: Options = {},
): Promise<PruneResult & { readonly figures: PruneFigures }> {
  await using lock = await repository.lock('exclusive');
  const plan = await planPrune(repository, { ...options, lock });
  return { figures: plan.figures, ...(await executePrune(plan, options)) };
}

async function openAgain({ backend }: TestRepository): Promise<Repository> {
  return await openRepository({ backend, password: testPassword, runtime: quickRuntime() });
}

async function forget(repository: Repository, ...ids: readonly SnapshotId[]): Promise<void> {
  await using lock = await repository.lock('shared');
  await forgetSnapshots(repository, ids, { lock });
}

async function expectSound(repository: Repository): Promise<void> {
  expect(await Array.fromAsync(checkRepository(repository, { readData: true }))).toEqual([]);
}

async function filesOf({ path }: TestRepository): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('/locks'))
    .map(({ name }) => name)
    .sort();
}

const blobOf = (bytes: Buffer): BlobId => asId<BlobId>(sha256(bytes));

const letters: SavedDirectory = { a: Buffer.from('a'), sub: { b: Buffer.from('b'), c: Buffer.from('c') } };
const chunk = (name: string): Buffer => testBytes(name, 300_000);

describe('a prune', () => {
  it('changes nothing where everything is needed, and nothing of an empty repository', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    expect((await prune(place.repository)).figures.packs.kept).toBe(0);
    await saveSnapshot(place.repository, letters);
    const before = await filesOf(place);
    const { figures, ...result } = await prune(place.repository);
    expect(result).toEqual({ packsRemoved: 0, packsWritten: 0, bytesFreed: 0, leftoversRemoved: 0 });
    expect(figures).toMatchObject({
      snapshots: 1,
      packs: { kept: 2, removed: 0, repacked: 0, unreferenced: 0, missing: 0 },
      blobs: { used: 5, unused: 0, duplicate: 0, repacked: 0 },
    });
    expect(await filesOf(place)).toEqual(before);
    await expectSound(place.repository);
  });

  it('removes packs of which nothing is needed, and repacks those of which a part is', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const { repository } = place;
    const kept = { shared: chunk('shared'), own: chunk('own') };
    const gone = await saveSnapshot(repository, { shared: chunk('shared'), x: chunk('x'), y: chunk('y') });
    const stays = await saveSnapshot(repository, kept);
    const lone = await saveSnapshot(repository, { lone: chunk('lone') });
    await forget(repository, gone, lone);

    const { figures, ...result } = await prune(repository, { maxUnused: 0 });
    expect(figures.packs).toMatchObject({ removed: 3, repacked: 1 });
    expect(figures.blobs).toMatchObject({ used: 3, unused: 5, repacked: 1 });
    expect(result.bytesFreed).toBe(figures.bytes.freed);
    expect(figures.bytes.unusedAfter).toBe(0);

    // Afterwards the repository is as one that was opened anew.
    expect(repository.blobs.hasBlob('data', blobOf(kept.own))).toBe(false);
    await repository.refreshIndex();
    expect(repository.blobs.hasBlob('data', blobOf(chunk('x')))).toBe(false);
    for (const bytes of Object.values(kept)) {
      expect(Buffer.from(await repository.blobs.readBlob('data', blobOf(bytes))).equals(bytes)).toBe(true);
    }
    expect((await repository.snapshots.list()).snapshots.map(({ id }) => id)).toEqual([stays]);
    await expectSound(repository);
    expect((await prune(repository, { maxUnused: 0 })).packsRemoved).toBe(0);
  });

  it('empties a repository without snapshots', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    await forget(place.repository, await saveSnapshot(place.repository, letters));
    expect((await prune(place.repository)).figures).toMatchObject({
      packs: { kept: 0, removed: 2 },
      bytes: { remaining: 0 },
    });
    expect((await filesOf(place)).filter((name) => name !== 'config')).toHaveLength(1);
    await saveSnapshot(place.repository, letters);
    await expectSound(place.repository);
  });

  it('leaves as much unused as it may, and repacks no more than it may', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const gone: SnapshotId[] = [];
    for (const n of [1, 2, 3, 4]) {
      const used = { big: testBytes(`big ${n}`, 800_000) };
      gone.push(await saveSnapshot(place.repository, { ...used, z: testBytes(`z ${n}`, 99_968) }));
      await saveSnapshot(place.repository, used);
    }
    await forget(place.repository, ...gone);
    await using lock = await place.repository.lock('exclusive');
    const unusedAfter = async (options: Options): Promise<number> => {
      const { figures } = await planPrune(place.repository, { ...options, lock });
      return figures.bytes.unusedAfter / 100_000;
    };
    expect(await unusedAfter({ maxUnused: 'unlimited' })).toBe(4);
    expect(await unusedAfter({ maxUnused: 200_001 })).toBe(2);
    expect(await unusedAfter({ maxUnused: { percent: 8 } })).toBe(2);
    expect(await unusedAfter({})).toBe(1);
    expect(await unusedAfter({ maxUnused: 0 })).toBe(0);
    expect(await unusedAfter({ maxUnused: 0, maxRepackBytes: 2_000_000 })).toBe(2);
    expect(await unusedAfter({ maxUnused: 0, maxRepackBytes: 0 })).toBe(4);
    expect(await unusedAfter({ maxUnused: 0, repackCacheableOnly: true })).toBe(4);
    await executePrune(await planPrune(place.repository, { lock, maxUnused: 200_001 }));
    await expectSound(place.repository);
  });

  it('merges very small packs when there are ten of a kind or more', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    for (let n = 0; n < 12; n += 1) await saveSnapshot(place.repository, { file: testBytes(`${n}`, 5000) });
    expect((await prune(place.repository)).figures.packs).toMatchObject({ kept: 0, repacked: 24 });
    await expectSound(place.repository);
    expect((await filesOf(place)).length).toBe(12 + 2 + 2 + 1);
    expect((await prune(place.repository)).figures.packs).toMatchObject({ kept: 2, repacked: 0 });
  });

  it('keeps one copy of what is in several packs', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const other = await openAgain(place);
    const trees = [];
    {
      await using lock = await place.repository.lock('shared');
      await using writer = await place.repository.openWriter({ lock });
      await using otherWriter = await other.openWriter({ lock });
      trees.push(await saveDirectory(writer, { one: chunk('both'), two: chunk('first') }));
      trees.push(await saveDirectory(otherWriter, { one: chunk('both'), two: chunk('second') }));
      await writer.flush();
      await otherWriter.flush();
    }
    await saveSnapshot(place.repository, { one: chunk('both'), two: chunk('first') });
    await saveSnapshot(place.repository, { one: chunk('both'), two: chunk('second') });
    const { figures } = await prune(place.repository, { maxUnused: 0 });
    expect(figures.blobs.duplicate).toBe(1);
    expect(figures.bytes.duplicate).toBe(300_032);
    await place.repository.refreshIndex();
    expect(place.repository.storage.indexes.current.findAll('data', blobOf(chunk('both')))).toHaveLength(1);
    await expectSound(place.repository);
  });

  it('removes what no index names, and old leftovers of interrupted writes', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    await saveSnapshot(place.repository, letters);
    const before = await filesOf(place);
    const garbage = testBytes('garbage', 1000);
    await place.backend.save({ kind: 'data', id: sha256(garbage) }, [garbage]);
    const { figures, packsRemoved, bytesFreed } = await prune(place.repository);
    expect(figures.packs).toMatchObject({ kept: 2, unreferenced: 1 });
    expect(figures.bytes.unreferenced).toBe(1000);
    expect({ packsRemoved, bytesFreed }).toEqual({ packsRemoved: 1, bytesFreed: 1000 });
    expect(await filesOf(place)).toEqual(before);
  });

  it('forgets packs that are gone and were not needed', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const gone = await saveSnapshot(place.repository, { x: chunk('x') });
    await saveSnapshot(place.repository, letters);
    const location = place.repository.storage.indexes.current.find('data', blobOf(chunk('x')));
    await forget(place.repository, gone);
    await place.backend.remove({ kind: 'data', id: location?.packId ?? '' });
    const { figures } = await prune(place.repository);
    expect(figures.packs).toMatchObject({ missing: 1, removed: 1, kept: 2 });
    await expectSound(place.repository);
  });

  it('removes index files that others supersede, before the packs that only they name', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const gone = await saveSnapshot(place.repository, { x: chunk('x') });
    const old = await anIndex(place);
    await saveSnapshot(place.repository, letters);
    await forget(place.repository, gone);
    const document = encodeIndexFile({ supersedes: [asId<IndexId>(old)], packs: [] });
    await place.repository.storage.files.save('index', document);
    const { figures } = await prune(place.repository);
    expect(figures.packs).toMatchObject({ unreferenced: 2, kept: 2 });
    expect(await filesOf(place)).not.toContain(old);
    await expectSound(place.repository);
  });

  it('shows a plan as if snapshots were forgotten, which cannot be executed', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const id = await saveSnapshot(place.repository, letters);
    await using lock = await place.repository.lock('exclusive');
    const plan = await planPrune(place.repository, { lock, withoutSnapshots: new Set([id]) });
    expect(plan.figures).toMatchObject({ snapshots: 0, packs: { removed: 2 } });
    await expect(executePrune(plan)).rejects.toMatchObject({ code: 'usage-invalid' });
  });

  it('needs an exclusive lock, executes a plan once, and nothing without the lock', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const { repository } = place;
    await forget(repository, await saveSnapshot(repository, letters));
    {
      await using lock = await repository.lock('shared');
      await expect(planPrune(repository, { lock })).rejects.toMatchObject({ code: 'usage-invalid' });
    }
    const lock = await repository.lock('exclusive');
    const plan = await planPrune(repository, { lock });
    await lock.release();
    const before = await filesOf(place);
    await expect(executePrune(plan)).rejects.toMatchObject({ code: 'repository-lock-lost' });
    await expect(executePrune(plan)).rejects.toMatchObject({ code: 'usage-invalid' });
    await expect(planPrune(repository, { lock })).rejects.toMatchObject({ code: 'repository-lock-lost' });
    expect(await filesOf(place)).toEqual(before);
  });

  it('ends when its signal fires', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    await saveSnapshot(place.repository, letters);
    const pruning = prune(place.repository, { signal: AbortSignal.abort() });
    await expect(pruning).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('tells how far it has come', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const gone = await saveSnapshot(place.repository, { shared: chunk('s'), x: chunk('x') });
    await saveSnapshot(place.repository, { shared: chunk('s') });
    await forget(place.repository, gone);
    const last = new Map<string, unknown>();
    const onProgress: Options['onProgress'] = ({ step, done, total }) => last.set(step, [done, total]);
    await prune(place.repository, { maxUnused: 0, onProgress });
    expect(Object.fromEntries(last)).toMatchObject({
      snapshots: [1, 1],
      trees: [1, undefined],
      packs: [3, 3],
      repack: [1, 1],
      delete: [2, 2],
    });
    expect(last.has('index')).toBe(true);
  });
});

describe('a prune refuses, and deletes nothing, where', () => {
  type Harm = (place: TestRepository, path: (kind: string, id: string) => string) => Promise<void>;

  const needed = chunk('needed');
  const harms: Readonly<Record<string, Harm>> = {
    'a snapshot is damaged': async ({ repository }, path) => {
      const { snapshots } = await repository.snapshots.list();
      await flip(path('snapshots', snapshots[0]?.id ?? ''));
    },
    'a snapshot is cut off': async ({ repository }, path) => {
      const { snapshots } = await repository.snapshots.list();
      await cut(path('snapshots', snapshots[0]?.id ?? ''));
    },
    'an index is damaged': async (place, path) => flip(path('index', await anIndex(place))),
    'an index is cut off': async (place, path) => cut(path('index', await anIndex(place))),
    'an index is missing': async (place) => {
      for await (const { id } of place.backend.list('index'))
        await place.backend.remove({ kind: 'index', id });
    },
    'a pack of trees is damaged': async (place, path) => flip(path('data', await packOf(place, 'tree'))),
    'a pack of trees is cut off': async (place, path) => cut(path('data', await packOf(place, 'tree'))),
    'a pack of trees is missing': async (place) => {
      await place.backend.remove({ kind: 'data', id: await packOf(place, 'tree') });
    },
    'a pack that is to be repacked is damaged': async (place, path) => {
      await flip(path('data', await packOf(place, 'data')));
    },
    'a pack of contents is cut off': async (place, path) => cut(path('data', await packOf(place, 'data'))),
    'a pack of contents is missing': async (place) => {
      await place.backend.remove({ kind: 'data', id: await packOf(place, 'data') });
    },
  };

  it.each(Object.entries(harms))('%s', async (_name, harm) => {
    await using place = await testRepository({ locksAtOnce: true });
    const gone = await saveSnapshot(place.repository, { needed, x: chunk('x') });
    await saveSnapshot(place.repository, { needed });
    await forget(place.repository, gone);
    await harm(place, (folder, id) =>
      join(place.path, folder, ...(folder === 'data' ? [id.slice(0, 2)] : []), id),
    );
    const before = await filesOf(place);
    const repository = await openAgain(place);
    for (const opened of [repository, place.repository]) {
      const failure = await prune(opened, { maxUnused: 0 }).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'prune-refused',
        message: /^Nothing was deleted: .*[0-9a-f]{64}/,
      });
      expect(await filesOf(place)).toEqual(before);
    }
  });

  it('a copy elsewhere makes up for what is damaged', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const other = await openAgain(place);
    {
      await using lock = await place.repository.lock('shared');
      await using writer = await place.repository.openWriter({ lock });
      await using otherWriter = await other.openWriter({ lock });
      for (const each of [writer, otherWriter]) {
        await saveDirectory(each, { needed, x: testBytes(each === writer ? 'x' : 'y', 1000) });
        await each.flush();
      }
    }
    await saveSnapshot(place.repository, { needed });
    const copies = place.repository.storage.indexes.current.findAll('data', blobOf(needed));
    expect(copies).toHaveLength(2);
    const [damaged] = copies;
    await flip(join(place.path, 'data', damaged?.packId.slice(0, 2) ?? '', damaged?.packId ?? ''));
    const { figures } = await prune(place.repository, { maxUnused: 0 });
    expect(figures.blobs.duplicate).toBe(1);
    await expectSound(place.repository);
  });
});

async function anIndex({ backend }: TestRepository): Promise<string> {
  for await (const { id } of backend.list('index')) return id;
  throw new Error('no index');
}

/** The pack that holds what the snapshot needs. */
async function packOf({ repository }: TestRepository, type: 'data' | 'tree'): Promise<string> {
  await repository.refreshIndex();
  const { tree } = await repository.snapshots.find('latest');
  const id = type === 'tree' ? tree : blobOf(chunk('needed'));
  return repository.storage.indexes.current.find(type, id)?.packId ?? '';
}

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  // Within the first blob of a pack, whatever comes first in it.
  for (const at of [30, Math.floor(bytes.length / 2)]) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await chmod(path, 0o600);
  await writeFile(path, bytes);
  await utimes(path, 0, 0);
}

async function cut(path: string): Promise<void> {
  await chmod(path, 0o600);
  await truncate(path, 60);
}
