import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend, FileName } from '../../backend/backend.ts';
import { sha256 } from '../../crypto/hash.ts';
import { asId } from '../../format/id-codec.ts';
import type { BlobId, PackId, SnapshotId } from '../../format/ids.ts';
import { utcTimestamp } from '../../format/timestamp.ts';
import { initRepository } from '../../repository/init-repository.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { verifyTree } from '../../snapshot/verify.ts';
import { MemoryBackend } from '../../testing/memory-backend.ts';
import { quickRuntime } from '../../testing/quick-runtime.ts';
import { type SavedDirectory, saveDirectory, saveSnapshot } from '../../testing/saved-directory.ts';
import { testBytes } from '../../testing/test-bytes.ts';
import { snapshotOf, testPassword } from '../../testing/test-repository.ts';
import { type AffectedSnapshot, affectedSnapshots } from './affected-snapshots.ts';
import { type DropResult, dropFromIndex } from './drop-from-index.ts';
import { type Drift, findDrift } from './find-drift.ts';

interface Place {
  readonly backend: Backend;
  readonly repository: Repository;
}

async function newPlace(): Promise<Place> {
  const backend = new MemoryBackend();
  const runtime = quickRuntime();
  return { backend, repository: await initRepository({ backend, passwords: [testPassword], runtime }) };
}

const noDrift: Drift = { packs: [], indexes: [], snapshots: [] };
const letters: SavedDirectory = { a: Buffer.from('a'), sub: { b: Buffer.from('b'), c: Buffer.from('c') } };
const blobOf = (bytes: Uint8Array | string): BlobId => asId<BlobId>(sha256(Buffer.from(bytes)));

async function openAgain({ backend }: Place): Promise<Repository> {
  return await openRepository({ backend, password: testPassword, runtime: quickRuntime() });
}

/** Two backups at the same time: each stores what both have. `between` is done when the first is there. */
async function saveTwice(
  place: Place,
  directory: SavedDirectory,
  between = async (): Promise<void> => {},
): Promise<{ readonly first: SnapshotId }> {
  const other = await openAgain(place);
  await using lock = await other.lock('shared');
  await using writer = await other.openWriter({ lock });
  const first = await saveSnapshot(place.repository, directory);
  await between();
  const tree = await saveDirectory(writer, directory);
  await writer.flush();
  await other.snapshots.save(snapshotOf(tree), { lock });
  return { first };
}

async function driftOf(place: Place): Promise<Drift> {
  const result = await findDrift(place.repository);
  return result.kind === 'none' ? noDrift : result.drift;
}

/** Of all snapshots, as whoever opens the repository now sees them. */
async function affectedBy(place: Place, drift: Drift): Promise<readonly AffectedSnapshot[]> {
  const repository = await openAgain(place);
  return await affectedSnapshots(repository, drift, (await repository.snapshots.list()).snapshots);
}

async function drop(place: Place, packs: readonly PackId[]): Promise<DropResult> {
  await using lock = await place.repository.lock('exclusive');
  return await dropFromIndex(place.repository, packs, { lock });
}

async function packOf(place: Place, type: 'data' | 'tree', id: BlobId): Promise<PackId> {
  await place.repository.refreshIndex();
  const packId = place.repository.storage.indexes.current.find(type, id)?.packId;
  if (packId === undefined) throw new Error('No index names the blob.');
  return packId;
}

async function cutOff({ backend }: Place, id: string, sizeBytes: number): Promise<void> {
  const contents = await backend.load({ kind: 'data', id });
  await backend.save({ kind: 'data', id }, [contents?.subarray(0, sizeBytes) ?? Buffer.of()]);
}

async function only(place: Place, kind: 'index' | 'snapshot'): Promise<FileName & { id: string }> {
  const [first] = await Array.fromAsync(place.backend.list(kind));
  return { kind, id: first?.id ?? '' };
}

describe('drift', () => {
  it('is not found in a sound repository, nor in an empty one, nor where packs wait for their index', async () => {
    const place = await newPlace();
    expect(await findDrift(place.repository)).toEqual({ kind: 'none', packCount: 0 });
    await saveSnapshot(place.repository, letters);
    await place.backend.save({ kind: 'data', id: 'ab'.repeat(32) }, [Buffer.from('debris')]);
    expect(await findDrift(place.repository)).toEqual({ kind: 'none', packCount: 2 });
  });

  it('is a pack that is gone, or has another size', async () => {
    const place = await newPlace();
    await saveSnapshot(place.repository, letters);
    const { tree } = await place.repository.snapshots.find('latest');
    const [data, trees] = [await packOf(place, 'data', blobOf('a')), await packOf(place, 'tree', tree)];
    await place.backend.remove({ kind: 'data', id: data });
    await cutOff(place, trees, 50);
    const expectedBytes = [...place.repository.storage.indexes.current.packs()].find(
      ({ id }) => id === trees,
    )?.sizeBytes;
    const { packs } = await driftOf(place);
    expect(packs).toHaveLength(2);
    expect(packs).toContainEqual({ kind: 'missing', id: data });
    expect(packs).toContainEqual({ kind: 'size-wrong', id: trees, expectedBytes, actualBytes: 50 });
  });

  it('is an index or a snapshot that cannot be read, and is told of again each time', async () => {
    const place = await newPlace();
    const gone = await saveSnapshot(place.repository, letters);
    const damagedIndex = await only(place, 'index');
    const damagedSnapshot = await only(place, 'snapshot');
    const sound = await saveSnapshot(place.repository, { z: Buffer.from('z') });
    for (const file of [damagedIndex, damagedSnapshot]) await place.backend.save(file, [Buffer.from('x')]);
    for (let time = 0; time < 2; time += 1) {
      expect(await driftOf(place)).toEqual({
        packs: [],
        indexes: [expect.objectContaining({ id: damagedIndex.id })],
        snapshots: [expect.objectContaining({ kind: 'damaged', id: gone })],
      });
    }
    await expect(place.repository.refreshIndex()).resolves.toBeUndefined();
    await expect((await openAgain(place)).refreshIndex()).rejects.toMatchObject({
      code: 'repository-damaged',
    });
    expect(await affectedBy(place, await driftOf(place))).toEqual([]);
    expect((await place.repository.snapshots.list()).snapshots.map(({ id }) => id)).toEqual([sound]);
  });

  it('is an index that somebody removed, as far as snapshots need it', async () => {
    const place = await newPlace();
    const id = await saveSnapshot(place.repository, letters);
    const { tree } = await place.repository.snapshots.find(id);
    await place.backend.remove(await only(place, 'index'));
    const drift = await driftOf(place);
    expect(drift).toEqual({ ...noDrift, snapshots: [{ kind: 'tree-unknown', id, treeId: tree }] });
    expect(await affectedBy(place, drift)).toEqual([{ id, tree, paths: ['/'] }]);
  });

  it('ends as soon as it is told to', async () => {
    const place = await newPlace();
    await saveSnapshot(place.repository, letters);
    const { repository } = place;
    const options = { signal: AbortSignal.abort() };
    const interrupted = { code: 'interrupted' };
    const { snapshots } = await repository.snapshots.list();
    await expect(findDrift(repository, options)).rejects.toMatchObject(interrupted);
    await expect(affectedSnapshots(repository, noDrift, snapshots, options)).rejects.toMatchObject(
      interrupted,
    );
    await using lock = await repository.lock('exclusive');
    await expect(dropFromIndex(repository, [], { lock, ...options })).rejects.toMatchObject(interrupted);
  });
});

describe('snapshots that drift affects', () => {
  it('are those that need what is lost, with some of the paths', async () => {
    const place = await newPlace();
    const { repository } = place;
    const first = await saveSnapshot(repository, letters);
    const copies = { copies: { letters, more: letters }, d: Buffer.from('d') };
    const copy = await saveSnapshot(repository, copies, { time: utcTimestamp(1_000) });
    await saveSnapshot(repository, { d: Buffer.from('d') });
    await place.backend.remove({ kind: 'data', id: await packOf(place, 'data', blobOf('b')) });
    const drift = await driftOf(place);
    expect(await affectedBy(place, drift)).toEqual([
      expect.objectContaining({ id: first, paths: ['/a', '/sub/b', '/sub/c'] }),
      expect.objectContaining({
        id: copy,
        paths: ['/copies/letters/a', '/copies/letters/sub/b', '/copies/letters/sub/c'],
      }),
    ]);
    expect(await affectedSnapshots(repository, drift, [])).toEqual([]);
  });

  it('are not those of which another pack has what is lost', async () => {
    const place = await newPlace();
    const packs: PackId[] = [];
    const { first: id } = await saveTwice(place, letters, async () => {
      for (const pack of await Array.fromAsync(place.backend.list('data'))) packs.push(asId(pack.id));
    });
    for (const pack of packs) await place.backend.remove({ kind: 'data', id: pack });
    const drift = await driftOf(place);
    expect(drift.packs).toHaveLength(2);
    expect(await affectedBy(place, drift)).toEqual([]);

    expect((await drop(place, packs)).packsDropped).toBe(2);
    expect(await findDrift(place.repository)).toEqual({ kind: 'none', packCount: 2 });
    const opened = await openAgain(place);
    const { tree: treeId } = await opened.snapshots.find(id);
    await opened.refreshIndex();
    await expect(verifyTree({ blobs: opened.blobs, treeId })).resolves.toMatchObject({ dataBlobs: 3 });
  });

  it('are those whose trees are lost, or are none', async () => {
    const place = await newPlace();
    const { repository } = place;
    await using lock = await repository.lock('shared');
    await using writer = await repository.openWriter({ lock });
    const sub = await saveDirectory(writer, { b: Buffer.from('b') });
    await writer.flush();
    const top = await saveSnapshot(repository, { x: Buffer.from('x'), y: { b: Buffer.from('b') } });
    const garbage = asId<BlobId>((await writer.saveBlob('tree', Buffer.from('no tree'))).id);
    await writer.flush();
    await place.backend.remove({ kind: 'data', id: await packOf(place, 'tree', sub) });
    const roots = [
      { id: top, tree: (await repository.snapshots.find(top)).tree },
      { id: asId<SnapshotId>('aa'.repeat(32)), tree: sub },
      { id: asId<SnapshotId>('bb'.repeat(32)), tree: garbage },
    ];
    const affected = await affectedSnapshots(await openAgain(place), await driftOf(place), roots);
    expect(affected.map(({ paths }) => paths)).toEqual([['/y'], ['/'], ['/']]);
  });
});

const chunk = (n: number): Buffer => testBytes(`chunk ${n}`, 3_000);

/** Snapshots that share chunks, directories and packs in all ways; some taken twice at a time, so that packs share blobs. */
const histories = fc.array(
  fc.record({
    directories: fc.array(fc.array(fc.nat({ max: 12 }), { maxLength: 4 }), { maxLength: 4 }),
    isTwice: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
);

describe('whatever packs go or are cut off', () => {
  it('affects just the snapshots that cannot be restored then', async () => {
    const deeds = fc.array(fc.constantFrom('keep', 'keep', 'remove', 'cut off'), {
      minLength: 12,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(histories, deeds, async (history, deeds) => {
        const place = await newPlace();
        for (const { directories, isTwice } of history) {
          const entries = directories.map((files, n) => [
            `dir ${n}`,
            Object.fromEntries(files.map((content, file) => [`file ${file}`, chunk(content)])),
          ]);
          const directory = { top: Object.fromEntries(entries) };
          if (isTwice) await saveTwice(place, directory);
          else await saveSnapshot(place.repository, directory);
        }
        const packs = await Array.fromAsync(place.backend.list('data'));
        const damaged: string[] = [];
        for (const [n, { id, sizeBytes }] of packs.entries()) {
          const deed = deeds[n % deeds.length];
          if (deed === 'keep') continue;
          damaged.push(id);
          if (deed === 'remove') await place.backend.remove({ kind: 'data', id });
          else await cutOff(place, id, Math.floor(sizeBytes / 2));
        }
        const drift = await driftOf(place);
        expect(drift.packs.map(({ id }) => id).sort()).toEqual(damaged.sort());
        const affected = (await affectedBy(place, drift)).map(({ id }) => id);
        // Some of a pack that was cut off can be read as long as the index names it.
        const before = await unrestorable(place);
        expect(affected).toEqual(expect.arrayContaining(before));
        if (drift.packs.every(({ kind }) => kind === 'missing')) expect(before).toEqual(affected);

        const ids = drift.packs.map(({ id }) => id);
        expect((await drop(place, ids)).packsDropped).toBe(ids.length);
        expect(await unrestorable(place)).toEqual(affected);
        expect((await affectedBy(place, await driftOf(place))).map(({ id }) => id)).toEqual(affected);
        expect((await driftOf(place)).packs).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

/** Those of which a restore of everything fails, oldest first. */
async function unrestorable(place: Place): Promise<SnapshotId[]> {
  const repository = await openAgain(place);
  await repository.refreshIndex();
  const failed: SnapshotId[] = [];
  for (const { id, tree: treeId } of (await repository.snapshots.list()).snapshots) {
    await verifyTree({ blobs: repository.blobs, treeId }).catch(() => failed.push(id));
  }
  return failed;
}
