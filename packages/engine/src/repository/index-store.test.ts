import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../crypto/hash.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId, IndexId, PackId } from '../format/ids.ts';
import { encodeIndexFile, type IndexedPack } from '../format/index-file.ts';
import { FaultBackend } from '../testing/fault-backend.ts';
import { testRepository } from '../testing/test-repository.ts';
import { IndexStore } from './index-store.ts';
import { SealedFiles } from './sealed-files.ts';

function pack(name: string): IndexedPack {
  const id = asId<BlobId>(sha256(Buffer.from(`blob of ${name}`)));
  const blob = { id, type: 'data' as const, offset: 0, length: 100, uncompressedLength: undefined };
  return { id: asId<PackId>(sha256(Buffer.from(name))), blobs: [blob] };
}

describe('the index', () => {
  it('is that of all its files, old and new', async () => {
    await using place = await testRepository();
    const { files } = place.repository.storage;
    const save = async (packs: IndexedPack[], supersedes: IndexId[] = []): Promise<IndexId> =>
      await files.save('index', encodeIndexFile({ supersedes, packs }));
    const store = new IndexStore(files);
    const names = (): string[] => ['a', 'b', 'c', 'd'].filter((name) => store.current.hasPack(pack(name).id));
    const first = await save([pack('a')]);
    await store.refresh();
    expect(names()).toEqual(['a']);
    await save([pack('b')]);
    await store.refresh();
    expect(names()).toEqual(['a', 'b']);
    // As prune does: the packs of one index file are in others from now on.
    await save([pack('c')]);
    await files.remove('index', first);
    await store.refresh();
    expect(names()).toEqual(['b', 'c']);
  });

  it('leaves out files that another one supersedes', async () => {
    await using place = await testRepository();
    const { files } = place.repository.storage;
    const old = await files.save(
      'index',
      encodeIndexFile({ supersedes: [], packs: [pack('gone'), pack('kept')] }),
    );
    const seenBefore = new IndexStore(files);
    await seenBefore.refresh();
    await files.save('index', encodeIndexFile({ supersedes: [old], packs: [pack('kept')] }));
    for (const store of [seenBefore, new IndexStore(files)]) {
      await store.refresh();
      expect(store.current.hasPack(pack('kept').id)).toBe(true);
      expect(store.current.hasPack(pack('gone').id)).toBe(false);
      await store.refresh();
      expect(store.current.hasPack(pack('gone').id)).toBe(false);
    }
  });

  it('is read once, however many ask for it at a time', async () => {
    await using place = await testRepository();
    const { files } = place.repository.storage;
    const names = Array.from({ length: 20 }, (_, number) => `pack ${number}`);
    for (const name of names)
      await files.save('index', encodeIndexFile({ supersedes: [], packs: [pack(name)] }));
    const store = new IndexStore(files);
    const loaded: IndexId[] = [];
    const onLoaded = (id: IndexId): void => void loaded.push(id);
    await Promise.all([store.refresh({ onLoaded }), store.refreshToWrite(), store.refresh({ onLoaded })]);
    expect(new Set(loaded).size).toBe(20);
    expect(loaded).toHaveLength(20);
    expect(names.every((name) => store.current.hasPack(pack(name).id))).toBe(true);
  });

  it('that was read before there was a lock is brought up to date under it', async () => {
    await using place = await testRepository();
    const { repository } = place;
    const { files, indexes } = repository.storage;
    const pruned = await files.save('index', encodeIndexFile({ supersedes: [], packs: [pack('pruned')] }));
    await files.save('index', encodeIndexFile({ supersedes: [], packs: [pack('kept')] }));
    await repository.preloadIndex();
    expect(indexes.current.hasPack(pack('pruned').id)).toBe(true);
    await files.remove('index', pruned);
    await files.save('index', encodeIndexFile({ supersedes: [], packs: [pack('new')] }));
    await using lock = await repository.lock('shared');
    await using _ = await repository.openWriter({ lock });
    const has = (name: string): boolean => indexes.current.hasPack(pack(name).id);
    expect(['pruned', 'kept', 'new'].map(has)).toEqual([false, true, true]);
  });

  it('that could not be read to its end counts for nothing of what was read', async () => {
    await using place = await testRepository();
    const { files, key } = place.repository.storage;
    const saved: IndexId[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      saved.push(await files.save('index', encodeIndexFile({ supersedes: [], packs: [pack(name)] })));
    }
    const faults = [{ method: 'load', kind: 'index', calls: [6], effect: 'fails' } as const];
    const store = new IndexStore(new SealedFiles(new FaultBackend(place.backend, faults), key));
    await expect(store.refresh()).rejects.toMatchObject({ code: 'storage-unreachable' });
    for (const id of saved) await files.remove('index', id);
    await files.save('index', encodeIndexFile({ supersedes: [], packs: [pack('new')] }));
    await store.refresh();
    expect(store.current.blobCount).toBe(1);
    expect(store.current.hasPack(pack('new').id)).toBe(true);
  });

  it('that is garbage is told by name', async () => {
    await using place = await testRepository();
    const { files, backend, key } = place.repository.storage;
    expect(key).toBeDefined();
    await files.save('index', encodeIndexFile({ supersedes: [], packs: [pack('good')] }));
    const garbage = [randomBytes(500), Buffer.alloc(0), Buffer.alloc(31)];
    for (const bytes of garbage) await backend.save({ kind: 'index', id: sha256(bytes) }, [bytes]);
    await files.save('index', Buffer.from('{"packs":[{"id":1}]}'));
    await files.save('index', Buffer.from('[]'));

    const refreshing = new IndexStore(files).refresh();
    await expect(refreshing).rejects.toMatchObject({ code: 'repository-damaged', hint: expect.any(String) });
    const damaged: string[] = [];
    const store = new IndexStore(files);
    await store.refresh({ onDamaged: ({ id }) => damaged.push(id) });
    expect(damaged).toHaveLength(5);
    expect(damaged).toEqual(expect.arrayContaining(garbage.map((bytes) => sha256(bytes))));
    expect(store.current.hasPack(pack('good').id)).toBe(true);
  });
});
