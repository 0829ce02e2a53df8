import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Backend, FileName, ListedFileKind } from '../backend/backend.ts';
import { sha256 } from '../crypto/hash.ts';

const listedKinds: readonly ListedFileKind[] = ['key', 'lock', 'snapshot', 'index', 'data'];

/** A new, empty place for each call. */
export type BackendFactory = () => Promise<{ readonly backend: Backend } & AsyncDisposable>;

/** What every backend promises, see backend.ts. */
export function describeBackendContract(name: string, makePlace: BackendFactory): void {
  describe(`${name}, as every backend`, () => {
    it.each(listedKinds)('gives back a file of kind %s, whole and in parts', async (kind) => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const bytes = randomBytes(100_000);
      const file: FileName = { kind, id: sha256(bytes) };
      await backend.save(file, [bytes.subarray(0, 1), bytes.subarray(1, 70_000), bytes.subarray(70_000)]);

      expect(await backend.load(file)).toEqual(bytes);
      expect(await backend.stat(file)).toEqual({ sizeBytes: bytes.length });
      const middle = { offset: 10, length: 90_000 };
      expect(await backend.loadRange(file, middle)).toEqual(bytes.subarray(10, 90_010));
      const beyond = { offset: 99_990, length: 100 };
      expect(await backend.loadRange(file, beyond)).toEqual(bytes.subarray(99_990));
      for (const into of [
        Buffer.alloc(10),
        Buffer.alloc(200_000),
        Buffer.from(new SharedArrayBuffer(100_000)),
      ]) {
        expect((await backend.load(file, { into }))?.equals(bytes)).toBe(true);
        const part = await backend.loadRange(file, middle, { into });
        expect(part?.equals(bytes.subarray(10, 90_010))).toBe(true);
      }
      expect(await idsOf(backend, kind)).toEqual([file.id]);
    });

    it('has no file that was not saved', async () => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const files: FileName[] = [
        { kind: 'config' },
        ...listedKinds.map((kind) => ({ kind, id: sha256(Buffer.of()) })),
      ];
      for (const file of files) {
        expect(await backend.load(file)).toBeUndefined();
        expect(await backend.loadRange(file, { offset: 0, length: 1 })).toBeUndefined();
        expect(await backend.stat(file)).toBeUndefined();
        expect(await backend.remove(file)).toBe(false);
      }
      for (const kind of listedKinds) expect(await idsOf(backend, kind)).toEqual([]);
    });

    it('removes one file and leaves the others', async () => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const [kept, removed] = [await saveRandom(backend, 'data'), await saveRandom(backend, 'data')];
      expect(await backend.remove({ kind: 'data', id: removed })).toBe(true);
      expect(await backend.load({ kind: 'data', id: removed })).toBeUndefined();
      expect(await idsOf(backend, 'data')).toEqual([kept]);
    });

    it('lists many files, each once, with its size', async () => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const ids = await Promise.all(Array.from({ length: 150 }, () => saveRandom(backend, 'data')));
      const listed = await Array.fromAsync(backend.list('data'));
      expect(listed.map(({ id }) => id)).toEqual(ids.sort());
      expect(new Set(listed.map(({ sizeBytes }) => sizeBytes))).toEqual(new Set([64]));
      const behind = await Array.fromAsync(backend.list('data', { after: ids[99] }));
      expect(behind.map(({ id }) => id)).toEqual(ids.slice(100));
    });

    it('asks for its pace before it sends and after it received, byte for byte', async () => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const bytes = randomBytes(200_000);
      const file: FileName = { kind: 'data', id: sha256(bytes) };
      let paced = 0;
      const pace = async (count: number): Promise<void> => {
        paced += count;
      };
      await backend.save(file, [bytes.subarray(0, 70_000), bytes.subarray(70_000)], { pace });
      expect(paced).toBe(200_000);
      expect((await backend.load(file, { pace }))?.equals(bytes)).toBe(true);
      expect(paced).toBe(400_000);
      await backend.loadRange(file, { offset: 5, length: 1_000 }, { pace });
      expect(paced).toBe(401_000);
    });

    it('lets exactly one of many write the config', async () => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) => backend.save({ kind: 'config' }, [Buffer.of(n)])),
      );
      const winners = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
      expect(winners).toHaveLength(1);
      expect(await backend.load({ kind: 'config' })).toEqual(Buffer.from(winners));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({ code: 'repository-exists' });
      }
    });

    it('keeps what is there when it is created again', async () => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const id = await saveRandom(backend, 'snapshot');
      await backend.create();
      expect(await idsOf(backend, 'snapshot')).toEqual([id]);
    });

    it('saves empty files and files without parts', async () => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const file: FileName = { kind: 'lock', id: sha256(Buffer.of()) };
      await backend.save(file, []);
      expect(await backend.load(file)).toEqual(Buffer.of());
    });

    it('does nothing once its signal has fired', async () => {
      await using place = await makePlace();
      const { backend } = place;
      await backend.create();
      const id = await saveRandom(backend, 'index');
      const file: FileName = { kind: 'index', id };
      const signal = AbortSignal.abort();
      const interrupted = expect.objectContaining({ code: 'interrupted' });
      await expect(backend.save({ kind: 'config' }, [Buffer.of(1)], { signal })).rejects.toEqual(interrupted);
      await expect(backend.load(file, { signal })).rejects.toEqual(interrupted);
      await expect(backend.remove(file, { signal })).rejects.toEqual(interrupted);
      await expect(backend.list('index', { signal })[Symbol.asyncIterator]().next()).rejects.toEqual(
        interrupted,
      );
      expect(await backend.stat({ kind: 'config' })).toBeUndefined();
      expect(await idsOf(backend, 'index')).toEqual([id]);
    });
  });
}

async function saveRandom(backend: Backend, kind: ListedFileKind): Promise<string> {
  const bytes = randomBytes(64);
  const id = sha256(bytes);
  await backend.save({ kind, id }, [bytes]);
  return id;
}

async function idsOf(backend: Backend, kind: ListedFileKind): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of backend.list(kind)) ids.push(id);
  return ids;
}
