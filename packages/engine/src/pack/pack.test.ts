import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalBackend } from '../backend/local/local-backend.ts';
import { sha256 } from '../crypto/hash.ts';
import { randomMasterKey } from '../crypto/master-key.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId, PackId } from '../format/ids.ts';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { openBlob, sealBlob } from './blob-seal.ts';
import { type BuiltPack, PackBuilder } from './pack-builder.ts';
import { parsePackHeader, readPackHeader } from './pack-reader.ts';

const key = randomMasterKey();
const damaged = { code: 'repository-damaged' };

async function buildPack(plaintexts: readonly Uint8Array[]): Promise<{ pack: BuiltPack; file: Buffer }> {
  const builder = new PackBuilder('data');
  for (const plaintext of plaintexts) {
    const id = asId<BlobId>(sha256(plaintext));
    builder.append(id, sealBlob(key, id, plaintext));
  }
  const pack = await builder.finish(key);
  return { pack, file: Buffer.concat(pack.parts) };
}

describe('a blob', () => {
  it('opens to its plaintext, compressed where that helps', () => {
    for (const plaintext of [Buffer.alloc(0), Buffer.alloc(100_000, 'text '), randomBytes(50_000)]) {
      const id = asId<BlobId>(sha256(plaintext));
      const blob = sealBlob(key, id, plaintext);
      expect(openBlob(key, id, blob)?.equals(plaintext)).toBe(true);
      expect(blob.sealed.length).toBeLessThanOrEqual(plaintext.length + 32);
    }
  });

  it('does not get the memory that a wrong length claims', () => {
    const plaintext = Buffer.alloc(100_000, 'text ');
    const id = asId<BlobId>(sha256(plaintext));
    const { sealed } = sealBlob(key, id, plaintext);
    const before = process.memoryUsage().arrayBuffers;
    expect(openBlob(key, id, { sealed, uncompressedLength: 4_000_000_000 })).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000_000);
  });

  it('does not open under the id of another blob', () => {
    const id = asId<BlobId>(sha256(Buffer.from('one')));
    const blob = sealBlob(key, id, Buffer.from('one'));
    expect(openBlob(key, asId<BlobId>(sha256(Buffer.from('two'))), blob)).toBeUndefined();
    expect(() => sealBlob(key, id, Buffer.from('two'))).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
  });
});

describe('a pack', () => {
  it('is named by its contents and tells what is in it', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(sizes, async (blobSizes) => {
        const plaintexts = blobSizes.map((size) => randomBytes(size));
        const { pack, file } = await buildPack(plaintexts);
        expect(pack.id).toBe(sha256(file));
        expect(parsePackHeader(key, pack.id, file)).toEqual(pack.blobs);
        for (const [n, { id, offset, length, uncompressedLength }] of pack.blobs.entries()) {
          const sealed = file.subarray(offset, offset + length);
          expect(openBlob(key, id, { sealed, uncompressedLength })).toEqual(plaintexts[n]);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('is full at 16 MiB of blobs', () => {
    const builder = new PackBuilder('data');
    const plaintext = randomBytes(1024 * 1024);
    const id = asId<BlobId>(sha256(plaintext));
    const blob = sealBlob(key, id, plaintext);
    for (let n = 0; n < 15; n += 1) builder.append(id, blob);
    expect(builder.isFull).toBe(false);
    builder.append(id, blob);
    expect(builder.isFull).toBe(true);
  });

  it('whose header cannot be right is damaged', async () => {
    await using directory = await temporaryDirectory();
    const backend = new LocalBackend(join(directory.path, 'r'));
    await backend.create();
    const { file } = await buildPack([randomBytes(1000), randomBytes(2000)]);
    const broken = [
      Buffer.alloc(0),
      Buffer.alloc(3),
      Buffer.alloc(100),
      Buffer.alloc(100, 0xff),
      file.subarray(0, -1),
      file.subarray(1),
      Buffer.concat([file, Buffer.of(0)]),
      flipped(file, file.length - 1),
      flipped(file, file.length - 4),
      flipped(file, file.length - 10),
    ];
    for (const bytes of broken) {
      const id = asId<PackId>(sha256(bytes));
      await backend.save({ kind: 'data', id }, [bytes]);
      const reading = readPackHeader(backend, key, { id, sizeBytes: bytes.length });
      await expect(reading).rejects.toMatchObject(damaged);
      expect(() => parsePackHeader(key, id, bytes)).toThrow(expect.objectContaining(damaged));
    }
  });

  it('has the same header read from storage', async () => {
    await using directory = await temporaryDirectory();
    const backend = new LocalBackend(join(directory.path, 'r'));
    await backend.create();
    const { pack, file } = await buildPack([randomBytes(1000), Buffer.alloc(5000)]);
    await backend.save({ kind: 'data', id: pack.id }, pack.parts);
    expect(await readPackHeader(backend, key, { id: pack.id, sizeBytes: file.length })).toEqual(pack.blobs);
    const gone = { id: asId<PackId>('0'.repeat(64)), sizeBytes: 100 };
    await expect(readPackHeader(backend, key, gone)).rejects.toMatchObject(damaged);
  });
});

function flipped(file: Buffer, at: number): Buffer {
  const copy = Buffer.from(file);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
