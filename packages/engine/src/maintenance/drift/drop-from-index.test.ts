import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../backend/backend.ts';
import { LocalBackend } from '../../backend/local/local-backend.ts';
import { sha256 } from '../../crypto/hash.ts';
import { asId } from '../../format/id-codec.ts';
import type { BlobId, PackId } from '../../format/ids.ts';
import { encodeIndexFile, type IndexedPack } from '../../format/index-file.ts';
import { IndexStore, maxIndexBlobs } from '../../repository/index-store.ts';
import { openRepository } from '../../repository/open-repository.ts';
import type { Repository } from '../../repository/repository.ts';
import { FaultBackend } from '../../testing/fault-backend.ts';
import { quickRuntime } from '../../testing/quick-runtime.ts';
import { saveSnapshot } from '../../testing/saved-directory.ts';
import { temporaryDirectory } from '../../testing/temporary-directory.ts';
import { testBytes } from '../../testing/test-bytes.ts';
import { type TestRepository, testPassword, testRepository } from '../../testing/test-repository.ts';
import { checkRepository } from '../check.ts';
import { dropFromIndex } from './drop-from-index.ts';
import { findDrift } from './find-drift.ts';

function pack(name: string, blobs = 1): IndexedPack {
  return {
    id: asId<PackId>(sha256(Buffer.from(name))),
    blobs: Array.from({ length: blobs }, (_, n) => ({
      type: 'data',
      id: asId<BlobId>(sha256(Buffer.from(`${name} ${n}`))),
      offset: n * 100,
      length: 100,
      uncompressedLength: undefined,
    })),
  };
}

async function open(backend: Backend): Promise<Repository> {
  return await openRepository({ backend, password: testPassword, runtime: quickRuntime() });
}

async function drop(repository: Repository, packs: readonly PackId[]) {
  await using lock = await repository.lock('exclusive');
  return await dropFromIndex(repository, packs, { lock });
}

describe('packs that are dropped from the index', () => {
  it('need an exclusive lock, and indexes that can be read', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const { repository, backend } = place;
    await saveSnapshot(repository, { a: Buffer.from('a') });
    const packs = (await Array.fromAsync(backend.list('data'))).map(({ id }) => asId<PackId>(id));
    {
      await using lock = await repository.lock('shared');
      await expect(dropFromIndex(repository, packs, { lock })).rejects.toMatchObject({
        code: 'usage-invalid',
      });
    }
    await backend.save({ kind: 'index', id: 'ab'.repeat(32) }, [Buffer.from('garbage')]);
    const before = await Array.fromAsync(backend.list('index'));
    await expect(drop(repository, packs)).rejects.toMatchObject({ code: 'repository-damaged' });
    expect(await Array.fromAsync(backend.list('index'))).toEqual(before);
  });

  it('change nothing where no index names them', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    await saveSnapshot(place.repository, { a: Buffer.from('a') });
    const before = await Array.fromAsync(place.backend.list('index'));
    const nothing = { packsDropped: 0, indexesWritten: 0, indexesRemoved: 0 };
    expect(await drop(place.repository, [pack('other').id])).toEqual(nothing);
    expect(await drop(place.repository, [])).toEqual(nothing);
    expect(await Array.fromAsync(place.backend.list('index'))).toEqual(before);
  });

  it('stay where they are there again', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const { backend, repository } = place;
    await saveSnapshot(repository, { a: Buffer.from('a') });
    const packs = (await Array.fromAsync(backend.list('data'))).map(({ id }) => asId<PackId>(id));
    const [first = asId<PackId>('')] = packs;
    const contents = await backend.load({ kind: 'data', id: first });
    for (const id of packs) await backend.remove({ kind: 'data', id });
    expect(await findDrift(repository)).toMatchObject({ kind: 'found', packCount: 2 });
    await backend.save({ kind: 'data', id: first }, [contents ?? Buffer.of()]);
    expect(await drop(repository, packs)).toMatchObject({ packsDropped: 1 });
    expect(await findDrift(repository)).toMatchObject({ packCount: 1 });
    await repository.refreshIndex();
    expect(repository.storage.indexes.current.hasPack(first)).toBe(true);
  });

  it('leave all others in indexes of no more than the usual size, and large ones as they are', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const { files } = place.repository.storage;
    const save = async (...packs: readonly IndexedPack[]) =>
      await files.save('index', encodeIndexFile({ supersedes: [], packs }));
    const half = maxIndexBlobs / 2;
    const untouched = await save(pack('a', half), pack('b', half - 1));
    await save(pack('c', half), pack('gone', 7), pack('d', 1_000));
    await save(pack('e', half), pack('gone', 7), pack('f', half - 10));
    expect(await drop(place.repository, [pack('gone').id, pack('unknown').id])).toEqual({
      packsDropped: 1,
      indexesWritten: 2,
      indexesRemoved: 2,
    });
    const sizes = new Map<string, number>();
    const store = new IndexStore(files);
    await store.refresh({ onLoaded: (id, { blobCount }) => sizes.set(id, blobCount) });
    expect(sizes.has(untouched)).toBe(true);
    expect(Math.max(...sizes.values())).toBeLessThanOrEqual(maxIndexBlobs);
    expect([...store.current.packs()].map(({ id }) => id).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => pack(name).id).sort(),
    );
    expect(store.current.blobCount).toBe(5 * half + 989);
  });

  it('do not come back from an index that another superseded', async () => {
    await using place = await testRepository({ locksAtOnce: true });
    const { files } = place.repository.storage;
    const packs = [pack('gone'), pack('kept')];
    const old = await files.save('index', encodeIndexFile({ supersedes: [], packs }));
    await files.save('index', encodeIndexFile({ supersedes: [old], packs }));
    expect(await drop(place.repository, [pack('gone').id])).toMatchObject({ indexesRemoved: 2 });
    const store = new IndexStore(files);
    await store.refresh();
    expect([...store.current.packs()].map(({ id }) => id)).toEqual([pack('kept').id]);
  });
});

describe('dropping packs that a fault cut off makes nothing worse, and is completed when it is done again', () => {
  let template: TestRepository;
  let gone: PackId[];

  /** Three backups, each with an index of its own; the contents of one are gone. */
  beforeAll(async () => {
    template = await testRepository({ locksAtOnce: true });
    for (const n of [1, 2, 3]) await saveSnapshot(template.repository, { file: testBytes(`${n}`, 9_000) });
    await template.repository.refreshIndex();
    const lost = asId<BlobId>(sha256(testBytes('2', 9_000)));
    const packId = template.repository.storage.indexes.current.find('data', lost)?.packId;
    gone = packId === undefined ? [] : [packId];
    await template.backend.remove({ kind: 'data', id: gone[0] ?? '' });
  });

  afterAll(() => template[Symbol.asyncDispose]());

  const faults = [
    { method: 'save', kind: 'index', effect: 'fails' },
    { method: 'save', kind: 'index', effect: 'fails-after' },
    { method: 'remove', kind: 'index', effect: 'fails' },
    { method: 'remove', kind: 'index', effect: 'fails-after' },
    { method: 'list', kind: 'index', effect: 'fails-after' },
    { method: 'load', kind: 'index', effect: 'fails' },
    { method: 'list', kind: 'data', effect: 'fails-after' },
  ] as const;

  it.each(faults)('$method of $kind: $effect', async (fault) => {
    let calls = 0;
    for (let wasUsed = true; wasUsed; calls += 1) {
      await using directory = await temporaryDirectory();
      const path = join(directory.path, 'repository');
      await cp(template.path, path, { recursive: true });
      const sound = await open(new LocalBackend(path));
      const before = await lostBlobs(sound);
      const backend = new FaultBackend(new LocalBackend(path), [{ ...fault, calls: [calls + 1] }]);
      const dropping = drop(await open(backend), gone);
      const outcome: unknown = await dropping.catch((error: unknown) => error);
      wasUsed = backend.script.unused.length === 0;
      if (wasUsed) expect(outcome).toMatchObject({ code: 'storage-unreachable' });
      else expect(outcome).toMatchObject({ packsDropped: 1, indexesWritten: 1, indexesRemoved: 3 });

      expect(await lostBlobs(sound)).toEqual(before);
      await drop(sound, gone);
      expect(await findDrift(sound)).toMatchObject({ kind: 'none' });
      expect(await lostBlobs(sound)).toEqual(before);
    }
    expect(calls).toBeGreaterThan(1);
  });
});

/** What a check finds that snapshots need and do not have. */
async function lostBlobs(repository: Repository): Promise<unknown[]> {
  const findings = await Array.fromAsync(checkRepository(repository, { readData: true }));
  return findings.flatMap((finding) =>
    finding.kind === 'blob-missing' ? [[finding.blobId, finding.affected.paths]] : [],
  );
}
