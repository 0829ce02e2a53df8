import { read } from 'node:fs';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { sha256 } from '../crypto/hash.ts';
import type { BlobType } from '../format/blob-type.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import { IdTable } from '../index/id-table.ts';
import type { BlobReader, BlobWriter, SavedBlob } from '../repository/blob-store.ts';

const compress = promisify(zstdCompress);
const readFile = promisify(read);

/** Initialisation vector, authentication code, and the entry in the pack's header. */
const overheadBytes = 16 + 16 + 41;

/** Takes blobs and stores none: tells what a backup would add to the repository. The compressed size is about right. */
export class DryBlobWriter implements BlobWriter {
  readonly #blobs: BlobReader;
  readonly #taken = { data: new IdTable(), tree: new IdTable() };

  constructor(blobs: BlobReader) {
    this.#blobs = blobs;
  }

  async saveBlob(type: BlobType, plaintext: Uint8Array): Promise<SavedBlob> {
    const id = asId<BlobId>(sha256(plaintext));
    const sizeBytes = plaintext.length;
    const taken = this.#taken[type];
    const isNew = !this.#blobs.hasBlob(type, id) && taken.find(id) === -1;
    if (!isNew) return { id, sizeBytes, isNew, storedBytes: 0 };
    taken.add(id);
    const compressed = await compress(plaintext);
    return { id, sizeBytes, isNew, storedBytes: Math.min(compressed.length, sizeBytes) + overheadBytes };
  }

  async saveFile(file: number, sizeBytes: number): Promise<SavedBlob | undefined> {
    const bytes = Buffer.allocUnsafe(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const { bytesRead } = await readFile(file, bytes, filled, sizeBytes - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === 0 ? undefined : await this.saveBlob('data', bytes.subarray(0, filled));
  }

  async flush(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
