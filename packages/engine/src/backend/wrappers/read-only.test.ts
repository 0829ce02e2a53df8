import { expect, it } from 'vitest';
import { sha256 } from '../../crypto/hash.ts';
import { MemoryBackend } from '../../testing/memory-backend.ts';
import type { FileName } from '../backend.ts';
import { withReadOnly } from './read-only.ts';

it('withReadOnly reads everything and writes nothing', async () => {
  const memory = new MemoryBackend();
  const bytes = Buffer.from('contents');
  const file: FileName = { kind: 'snapshot', id: sha256(bytes) };
  await memory.save(file, [bytes]);
  const backend = withReadOnly(memory);
  expect(await backend.load(file)).toEqual(bytes);
  expect(await backend.loadRange(file, { offset: 1, length: 2 })).toEqual(bytes.subarray(1, 3));
  expect(await backend.stat(file)).toEqual({ sizeBytes: 8 });
  expect(await Array.fromAsync(backend.list('snapshot'))).toHaveLength(1);
  const refused = { code: 'storage-not-writable', hint: expect.any(String), retry: false };
  await expect(backend.create()).rejects.toMatchObject(refused);
  await expect(backend.save({ kind: 'config' }, [bytes])).rejects.toMatchObject(refused);
  await expect(backend.remove(file)).rejects.toMatchObject(refused);
  await expect(backend.removeLeftovers(0)).rejects.toMatchObject(refused);
  expect(await memory.load(file)).toEqual(bytes);
  expect(await memory.stat({ kind: 'config' })).toBeUndefined();
});
