import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '@holdfast/base';
import { describe, expect, it, vi } from 'vitest';
import type { BlobId } from '../format/ids.ts';
import { FaultBackend } from '../testing/fault-backend.ts';
import { testPassword, testRepository } from '../testing/test-repository.ts';
import { openRepository } from './open-repository.ts';
import { PackWriter } from './pack-writer.ts';

const mebibyte = 1024 * 1024;

/** Stores no pack before it is told to go on. */
class StandingBackend extends FaultBackend {
  readonly #gate = Promise.withResolvers<void>();

  goOn(): void {
    this.#gate.resolve();
  }

  override async save(...args: Parameters<FaultBackend['save']>): Promise<void> {
    if (args[0].kind === 'data') await this.#gate.promise;
    await super.save(...args);
  }

  [Symbol.dispose](): void {
    this.goOn();
  }
}

describe('a writer', () => {
  it('stores blobs that another opening of the repository reads', async () => {
    await using place = await testRepository();
    const plaintexts = [
      Buffer.alloc(0),
      Buffer.from('small'),
      Buffer.alloc(3 * mebibyte, 'text '),
      randomBytes(2 * mebibyte),
    ];
    const ids: BlobId[] = [];
    {
      await using lock = await place.repository.lock('shared');
      await using writer = await place.repository.openWriter({ lock });
      for (const plaintext of plaintexts) {
        const saved = await writer.saveBlob('data', plaintext);
        expect(saved.isNew).toBe(true);
        expect(saved.storedBytes).toBeGreaterThan(0);
        ids.push(saved.id);
      }
      await writer.flush();
    }
    const reopened = await openRepository({ backend: place.backend, password: testPassword });
    expect(reopened.blobs.hasBlob('data', ids[0] as BlobId)).toBe(false);
    await reopened.refreshIndex();
    for (const [n, id] of ids.entries()) {
      expect(reopened.blobs.blobSizeBytes('data', id)).toBe(plaintexts[n]?.length);
      expect(
        Buffer.compare(await reopened.blobs.readBlob('data', id), plaintexts[n] ?? Buffer.alloc(0)),
      ).toBe(0);
      expect(reopened.blobs.hasBlob('tree', id)).toBe(false);
    }
    await expect(reopened.blobs.readBlob('tree', ids[0] as BlobId)).rejects.toMatchObject({
      code: 'blob-missing',
    });
  });

  it('stores equal blobs once, however many come at once, and apart by type', async () => {
    await using place = await testRepository();
    await using lock = await place.repository.lock('shared');
    await using writer = await place.repository.openWriter({ lock });
    const plaintext = randomBytes(100_000);
    const saved = await Promise.all(Array.from({ length: 20 }, () => writer.saveBlob('data', plaintext)));
    expect(saved.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(saved.filter(({ storedBytes }) => storedBytes > 0)).toHaveLength(1);
    expect((await writer.saveBlob('tree', plaintext)).isNew).toBe(true);
    await writer.flush();
    expect((await writer.saveBlob('data', plaintext)).isNew).toBe(false);
    await using second = await place.repository.openWriter({ lock });
    expect((await second.saveBlob('data', plaintext)).isNew).toBe(false);
  });

  it('puts trees and data into packs of their own, of about 16 MiB', async () => {
    await using place = await testRepository();
    await using lock = await place.repository.lock('shared');
    await using writer = await place.repository.openWriter({ lock });
    for (let n = 0; n < 70; n += 1) await writer.saveBlob('data', randomBytes(mebibyte));
    for (let n = 0; n < 10; n += 1) await writer.saveBlob('tree', randomBytes(100));
    await writer.flush();
    const sizes: number[] = [];
    for await (const { sizeBytes } of place.backend.list('data')) sizes.push(sizeBytes);
    expect(sizes.filter((size) => size > 16 * mebibyte).length).toBeGreaterThanOrEqual(2);
    expect(Math.max(...sizes)).toBeLessThan(18 * mebibyte);
    const types = new Map<string, Set<string>>();
    for (const { packId, type } of place.repository.storage.indexes.current.blobs()) {
      types.set(packId, (types.get(packId) ?? new Set()).add(type));
    }
    expect([...types.values()].every((inPack) => inPack.size === 1)).toBe(true);
    expect(types.size).toBe(sizes.length);
  });

  it('writes nothing when nothing is new', async () => {
    await using place = await testRepository();
    await using lock = await place.repository.lock('shared');
    await using writer = await place.repository.openWriter({ lock });
    await writer.flush();
    await writer.flush();
    expect(await readdir(join(place.path, 'index'))).toEqual([]);
  });

  it('of two that share the repository, each flush covers the blobs that it leaves to the other', async () => {
    await using place = await testRepository();
    await using lock = await place.repository.lock('shared');
    const one = await place.repository.openWriter({ lock });
    await using other = await place.repository.openWriter({ lock });
    const plaintexts = Array.from({ length: 40 }, () => randomBytes(mebibyte));
    for (const plaintext of plaintexts) await one.saveBlob('data', plaintext);
    for (const plaintext of plaintexts) await other.saveBlob('data', plaintext);
    await other.flush();
    const reopened = await openRepository({ backend: place.backend, password: testPassword });
    await reopened.refreshIndex();
    const { current } = reopened.storage.indexes;
    expect(current.blobCount).toBe(40);
    await one[Symbol.asyncDispose]();
  });

  it('fails for good once a pack could not be stored: no index, no snapshot', async () => {
    await using place = await testRepository();
    const backend = new FaultBackend(place.backend);
    const repository = await openRepository({ backend, password: testPassword });
    await using lock = await repository.lock('shared');
    await using writer = await repository.openWriter({ lock });
    backend.down.add('data');
    const unreachable = { code: 'storage-unreachable' };
    await writer.saveBlob('data', randomBytes(1000));
    await expect(writer.flush()).rejects.toMatchObject(unreachable);
    backend.down.clear();
    await expect(writer.flush()).rejects.toMatchObject(unreachable);
    await expect(writer.saveBlob('data', randomBytes(1000))).rejects.toMatchObject(unreachable);
    expect(await readdir(join(place.path, 'index'))).toEqual([]);
  });

  it('takes only so much while storage is slow, and goes on when it is there', async () => {
    await using place = await testRepository();
    const backend = new StandingBackend(place.backend);
    const repository = await openRepository({ backend, password: testPassword });
    await using lock = await repository.lock('shared');
    await using writer = await repository.openWriter({ lock });
    // Closing the writer waits for its packs, also where the test fails.
    using standing = backend;
    let savedBytes = 0;
    const saves = Array.from({ length: 40 }, async () => {
      await writer.saveBlob('data', randomBytes(4 * mebibyte));
      savedBytes += 4 * mebibyte;
    });
    // Three packs that are on their way; how much is in the two that are open is left to chance.
    await vi.waitFor(() => expect(savedBytes).toBeGreaterThanOrEqual(48 * mebibyte), { timeout: 50_000 });
    await delay(50);
    expect(savedBytes).toBeLessThanOrEqual(96 * mebibyte);
    standing.goOn();
    await Promise.all(saves);
    await writer.flush();
    expect(repository.storage.indexes.current.blobCount).toBe(40);
  });

  it('stores a tree that is larger than all that it lets in at once', async () => {
    await using place = await testRepository();
    const { repository } = place;
    await using lock = await repository.lock('shared');
    await using writer = await repository.openWriter({ lock });
    await writer.saveBlob('data', randomBytes(mebibyte));
    const tree = Buffer.alloc(100 * mebibyte, randomBytes(mebibyte));
    const [{ id }] = await Promise.all([
      writer.saveBlob('tree', tree),
      writer.saveBlob('data', randomBytes(mebibyte)),
    ]);
    await writer.flush();
    expect(Buffer.compare(await repository.blobs.readBlob('tree', id), tree)).toBe(0);
  });

  it('does not rely on packs of an earlier lock that no index names: they may be pruned by now', async () => {
    await using place = await testRepository();
    const backend = new FaultBackend(place.backend);
    const repository = await openRepository({ backend, password: testPassword });
    const plaintext = randomBytes(1000);
    {
      await using lock = await repository.lock('shared');
      await using writer = await repository.openWriter({ lock });
      const { id } = await writer.saveBlob('data', plaintext);
      backend.down.add('index');
      await expect(writer.flush()).rejects.toMatchObject({ code: 'storage-unreachable' });
      expect(repository.blobs.hasBlob('data', id)).toBe(true);
    }
    backend.down.clear();
    await using lock = await repository.lock('shared');
    await using writer = await repository.openWriter({ lock });
    expect((await writer.saveBlob('data', plaintext)).isNew).toBe(true);
  });

  it('stops when its signal fires, and leaves an index of what is stored', async () => {
    await using place = await testRepository();
    const controller = new AbortController();
    await using lock = await place.repository.lock('shared');
    {
      await using writer = await place.repository.openWriter({ lock, signal: controller.signal });
      for (let n = 0; n < 60; n += 1) await writer.saveBlob('data', randomBytes(mebibyte));
      controller.abort();
      const interrupted = { code: 'interrupted' };
      await expect(writer.saveBlob('data', randomBytes(10))).rejects.toMatchObject(interrupted);
      await expect(writer.flush()).rejects.toMatchObject(interrupted);
    }
    const reopened = await openRepository({ backend: place.backend, password: testPassword });
    await reopened.refreshIndex();
    let packs = 0;
    for await (const { id } of place.backend.list('data')) {
      packs += 1;
      expect(reopened.storage.indexes.current.hasPack(id as never)).toBe(true);
    }
    expect(packs).toBeGreaterThan(0);
  });
});

describe('a reader', () => {
  it('takes the sound copy of a blob that is in two packs', async () => {
    await using place = await testRepository();
    const others = await Promise.all(
      [1, 2].map(() => openRepository({ backend: place.backend, password: testPassword })),
    );
    const plaintext = randomBytes(5000);
    const packs: string[] = [];
    let id: BlobId | undefined;
    for (const repository of others) await repository.refreshIndex();
    for (const repository of others) {
      await using lock = await repository.lock('shared');
      // The index is as it was before the other wrote: that is what two backups at once see.
      const { indexes, backend, key } = repository.storage;
      await using writer = new PackWriter({ indexes, backend, key, lock, clock: systemClock });
      id = (await writer.saveBlob('data', plaintext)).id;
      await writer.flush();
      packs.push(indexes.current.find('data', id)?.packId ?? '');
    }
    const [first = ''] = packs;
    expect(new Set(packs).size).toBe(2);
    await place.backend.remove({ kind: 'data', id: first });
    const { repository } = place;
    await repository.refreshIndex();
    expect(Buffer.compare(await repository.blobs.readBlob('data', id as BlobId), plaintext)).toBe(0);
    await place.backend.remove({ kind: 'data', id: packs[1] ?? '' });
    await expect(repository.blobs.readBlob('data', id as BlobId)).rejects.toMatchObject({
      code: 'blob-damaged',
    });
  });
});
