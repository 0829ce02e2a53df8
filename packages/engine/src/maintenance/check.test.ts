import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../crypto/hash.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId, SnapshotId, TreeId } from '../format/ids.ts';
import { encodeJson } from '../format/json.ts';
import type { BlobWriter } from '../repository/blob-store.ts';
import type { RepositoryLock } from '../repository/repository-lock.ts';
import { snapshotOf, type TestRepository, testRepository } from '../testing/test-repository.ts';
import { checkRepository } from './check.ts';
import type { CheckOptions } from './check-scope.ts';
import type { Finding } from './finding.ts';
import { forgetSnapshots } from './forget.ts';

/** A directory: names with the contents of a file, or with another directory. */
interface Directory {
  readonly [name: string]: Buffer | Directory;
}

async function saveDirectory(writer: BlobWriter, directory: Directory): Promise<TreeId> {
  const time = '2026-01-01T00:00:00Z';
  const common = { mode: 420, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };
  const nodes = [];
  for (const [name, entry] of Object.entries(directory)) {
    if (Buffer.isBuffer(entry)) {
      const { id } = await writer.saveBlob('data', entry);
      nodes.push({ name, type: 'file', ...common, size: entry.length, content: [id] });
    } else {
      const subtree = await saveDirectory(writer, entry);
      nodes.push({ name, type: 'dir', ...common, content: null, subtree });
    }
  }
  return (await writer.saveBlob('tree', encodeJson({ nodes }))).id;
}

async function saveSnapshot(place: TestRepository, directory: Directory): Promise<SnapshotId> {
  await using lock = await place.repository.lock('shared');
  await using writer = await place.repository.openWriter({ lock });
  const tree = await saveDirectory(writer, directory);
  await writer.flush();
  return await saveSnapshotOf(place, tree, lock);
}

async function saveSnapshotOf(
  place: TestRepository,
  tree: TreeId,
  lock: RepositoryLock,
): Promise<SnapshotId> {
  return (await place.repository.snapshots.save(snapshotOf(tree), { lock })).id;
}

async function findingsOf(place: TestRepository, options: CheckOptions = {}): Promise<Finding[]> {
  return await Array.fromAsync(checkRepository(place.repository, options));
}

const packPath = (place: TestRepository, packId: string): string =>
  join(place.path, 'data', packId.slice(0, 2), packId);

async function flipByte(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await chmod(path, 0o600);
  await writeFile(path, bytes);
}

const letters = { 'a.txt': Buffer.from('a'), sub: { 'b.txt': Buffer.from('b'), 'c.txt': Buffer.from('c') } };
const blobOf = (text: string): BlobId => asId<BlobId>(sha256(Buffer.from(text)));

describe('check', () => {
  it('finds nothing in a sound repository, nor in an empty one', async () => {
    await using place = await testRepository();
    expect(await findingsOf(place, { readData: true })).toEqual([]);
    await saveSnapshot(place, letters);
    await saveSnapshot(place, { ...letters, 'z.txt': Buffer.from('z') });
    for (const [readData, expected] of [
      [false, ['packs', 'trees']],
      [true, ['packs', 'data']],
    ] as const) {
      const steps = new Set<string>();
      expect(await findingsOf(place, { readData, onProgress: ({ step }) => steps.add(step) })).toEqual([]);
      expect([...steps]).toEqual(expected);
    }
  });

  it('names a missing pack, its blobs, and every path that needs them', async () => {
    await using place = await testRepository();
    const first = await saveSnapshot(place, letters);
    const second = await saveSnapshot(place, { copy: letters });
    const packId = place.repository.storage.indexes.current.find('data', blobOf('b'))?.packId ?? '';
    await place.backend.remove({ kind: 'data', id: packId });

    const findings = await findingsOf(place);
    expect(findings).toContainEqual({ severity: 'error', kind: 'pack-missing', packId });
    const lost = findings.find(
      (finding) => finding.kind === 'blob-missing' && finding.blobId === blobOf('b'),
    );
    expect(lost).toMatchObject({
      type: 'data',
      affected: {
        isComplete: true,
        paths: expect.arrayContaining([
          { snapshotId: first, path: '/sub/b.txt' },
          { snapshotId: second, path: '/copy/sub/b.txt' },
        ]),
      },
    });
  });

  it('sees without reading data that a pack was cut off', async () => {
    await using place = await testRepository();
    await saveSnapshot(place, letters);
    const packId = place.repository.storage.indexes.current.find('data', blobOf('a'))?.packId ?? '';
    await chmod(packPath(place, packId), 0o600);
    await truncate(packPath(place, packId), 50);
    expect(await findingsOf(place)).toEqual([
      expect.objectContaining({ kind: 'pack-size-wrong', packId, actualBytes: 50 }),
    ]);
    const kinds = (await findingsOf(place, { readData: true })).map(({ kind }) => kind);
    expect(kinds).toContain('pack-damaged');
    expect(kinds.filter((kind) => kind === 'blob-damaged').length).toBeGreaterThanOrEqual(1);
  });

  it('sees a flipped bit only where it reads data, and tells the one file that it hits', async () => {
    await using place = await testRepository();
    const snapshotId = await saveSnapshot(place, letters);
    const location = place.repository.storage.indexes.current.find('data', blobOf('c'));
    await flipByte(packPath(place, location?.packId ?? ''), (location?.offset ?? 0) + 20);

    expect(await findingsOf(place)).toEqual([]);
    const findings = await findingsOf(place, { readData: true });
    expect(findings).toEqual([
      expect.objectContaining({ kind: 'pack-damaged', packId: location?.packId }),
      expect.objectContaining({
        kind: 'blob-damaged',
        blobId: blobOf('c'),
        affected: { isComplete: true, paths: [{ snapshotId, path: '/sub/c.txt' }] },
      }),
    ]);
  });

  it('sees a flipped bit in the header of a pack, of which no blob is lost', async () => {
    await using place = await testRepository();
    await saveSnapshot(place, letters);
    const { packId } = place.repository.storage.indexes.current.find('data', blobOf('a')) ?? { packId: '' };
    const { length } = await readFile(packPath(place, packId));
    await flipByte(packPath(place, packId), length - 10);
    expect(await findingsOf(place, { readData: true })).toEqual([
      expect.objectContaining({ kind: 'pack-damaged', packId }),
    ]);
  });

  it('sees a tree that is damaged without reading data', async () => {
    await using place = await testRepository();
    const snapshotId = await saveSnapshot(place, letters);
    const { tree } = await place.repository.snapshots.find(snapshotId);
    const location = place.repository.storage.indexes.current.find('tree', tree);
    await flipByte(packPath(place, location?.packId ?? ''), (location?.offset ?? 0) + 20);
    expect(await findingsOf(place)).toEqual([
      expect.objectContaining({
        kind: 'blob-damaged',
        type: 'tree',
        blobId: tree,
        affected: { isComplete: true, paths: [{ snapshotId, path: '/' }] },
      }),
    ]);
  });

  it('sees a tree that is none, and one that refers to what is not there', async () => {
    await using place = await testRepository();
    await using lock = await place.repository.lock('shared');
    await using writer = await place.repository.openWriter({ lock });
    const { id: noTree } = await writer.saveBlob('tree', Buffer.from('no tree'));
    const dangling = blobOf('never stored');
    const time = '2026-01-01T00:00:00Z';
    const common = { mode: 420, mtime: time, atime: time, ctime: time, uid: 0, gid: 0 };
    const nodes = [
      { name: 'dir', type: 'dir', ...common, content: null, subtree: dangling },
      { name: 'file', type: 'file', ...common, size: 1, content: [dangling] },
    ];
    const { id: tree } = await writer.saveBlob('tree', encodeJson({ nodes }));
    await writer.flush();
    const first = await saveSnapshotOf(place, noTree, lock);
    const second = await saveSnapshotOf(place, tree, lock);
    const missing = { kind: 'blob-missing', blobId: dangling };
    expect(await findingsOf(place)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          kind: 'tree-damaged',
          affected: { isComplete: true, paths: [{ snapshotId: first, path: '/' }] },
        }),
        expect.objectContaining({
          ...missing,
          type: 'tree',
          affected: { isComplete: true, paths: [{ snapshotId: second, path: '/dir' }] },
        }),
        expect.objectContaining({
          ...missing,
          type: 'data',
          affected: { isComplete: true, paths: [{ snapshotId: second, path: '/file' }] },
        }),
      ]),
    );
  });

  it('names damaged snapshots and indexes, and goes on', async () => {
    await using place = await testRepository();
    await saveSnapshot(place, letters);
    const garbage = randomBytes(100);
    for (const kind of ['snapshot', 'index'] as const)
      await place.backend.save({ kind, id: sha256(garbage) }, [garbage]);
    expect(await findingsOf(place, { readData: true })).toEqual([
      expect.objectContaining({ kind: 'snapshot-damaged', snapshotId: sha256(garbage) }),
      expect.objectContaining({ kind: 'index-damaged', indexId: sha256(garbage) }),
    ]);
  });

  it('only notes packs that no index names', async () => {
    await using place = await testRepository();
    await saveSnapshot(place, letters);
    for (const name of await readdir(join(place.path, 'index'))) {
      await place.backend.remove({ kind: 'index', id: name });
    }
    const garbage = randomBytes(100);
    await place.backend.save({ kind: 'data', id: sha256(garbage) }, [garbage]);
    const findings = await findingsOf(place);
    const notes = findings.filter(({ severity }) => severity === 'note');
    expect(notes).toHaveLength(3);
    expect(notes).toContainEqual(expect.objectContaining({ packId: sha256(garbage), blobCount: undefined }));
    expect(notes).toContainEqual(expect.objectContaining({ kind: 'pack-unindexed', blobCount: 3 }));
    expect(findings.filter(({ severity }) => severity === 'error').map(({ kind }) => kind)).toEqual([
      'blob-missing',
    ]);
  });

  it('ends when its signal fires', async () => {
    await using place = await testRepository();
    await saveSnapshot(place, letters);
    const checking = findingsOf(place, { signal: AbortSignal.abort() });
    await expect(checking).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('forget', () => {
  it('removes snapshots and nothing else', async () => {
    await using place = await testRepository();
    const kept = await saveSnapshot(place, letters);
    const forgotten = await saveSnapshot(place, { other: Buffer.from('other') });
    await using lock = await place.repository.lock('shared');
    const never = asId<SnapshotId>('0'.repeat(64));
    const result = await forgetSnapshots(place.repository, [forgotten, never], { lock });
    expect(result).toEqual({ removed: [forgotten], missing: [never] });
    expect((await place.repository.snapshots.list()).snapshots.map(({ id }) => id)).toEqual([kept]);
    expect(place.repository.blobs.hasBlob('data', blobOf('other'))).toBe(true);
    expect(await findingsOf(place, { readData: true })).toEqual([]);
  });
});
