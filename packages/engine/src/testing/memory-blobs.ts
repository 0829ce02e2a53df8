import { readSync } from 'node:fs';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import { makeFile } from '../filesystem/make-file.ts';
import type { WriteOptions } from '../filesystem/write-bytes.ts';
import type { BlobType } from '../format/blob-type.ts';
import { asId, idFromBytes } from '../format/id-codec.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import type { BlobCopier, BlobReader, BlobWriter, SavedBlob } from '../repository/blob-store.ts';

/** Blobs without a repository. Keeps the contracts of both interfaces; `storedBytes` is the length of the plaintext. */
export class MemoryBlobs implements BlobReader, BlobWriter {
  readonly #blobs = new Map<string, Uint8Array>();
  /** How often each blob was read. */
  readonly reads = new Map<BlobId, number>();

  hasBlob(type: BlobType, id: BlobId): boolean {
    return this.#blobs.has(`${type} ${id}`);
  }

  hasBlobBytes(type: BlobType, idBytes: Uint8Array): boolean {
    return this.hasBlob(type, idFromBytes(idBytes));
  }

  blobSizeBytes(type: BlobType, id: BlobId): number | undefined {
    return this.#blobs.get(`${type} ${id}`)?.length;
  }

  async readBlob(type: BlobType, id: BlobId): Promise<Uint8Array> {
    this.reads.set(id, (this.reads.get(id) ?? 0) + 1);
    const bytes = this.#blobs.get(`${type} ${id}`);
    if (bytes === undefined) throw new HoldfastError('blob-missing', 'There is no such blob.');
    if (sha256(bytes) !== id) throw new HoldfastError('blob-damaged', 'The blob is not what its id says.');
    return Buffer.from(bytes);
  }

  openCopier(options: WriteOptions): BlobCopier {
    return {
      copy: async (id, { write }) => await write(await this.readBlob('data', id)),
      read: async (id, memory) => memory.set(await this.readBlob('data', id)),
      makeFile: async (id, file) => {
        const bytes = this.#blobs.get(`data ${id}`);
        if (bytes === undefined || sha256(bytes) !== id) return undefined;
        this.reads.set(id, (this.reads.get(id) ?? 0) + 1);
        try {
          return makeFile(file, bytes, options);
        } catch (error) {
          if (systemErrorCode(error) === undefined) throw error;
          return undefined;
        }
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async saveBlob(type: BlobType, plaintext: Uint8Array): Promise<SavedBlob> {
    const { id, isNew } = this.add(type, plaintext);
    return { id, isNew, sizeBytes: plaintext.length, storedBytes: isNew ? plaintext.length : 0 };
  }

  async saveFile(file: number, sizeBytes: number): Promise<SavedBlob | undefined> {
    const bytes = Buffer.alloc(sizeBytes);
    const bytesRead = readSync(file, bytes, 0, sizeBytes, 0);
    return bytesRead === 0 ? undefined : await this.saveBlob('data', bytes.subarray(0, bytesRead));
  }

  async flush(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  addTree(json: string | Uint8Array): TreeId {
    return this.add('tree', Buffer.from(json)).id;
  }

  add(type: BlobType, plaintext: Uint8Array): { readonly id: BlobId; readonly isNew: boolean } {
    const id = asId<BlobId>(sha256(plaintext));
    const isNew = !this.hasBlob(type, id);
    if (isNew) this.#blobs.set(`${type} ${id}`, Buffer.from(plaintext));
    return { id, isNew };
  }

  remove(type: BlobType, id: BlobId): void {
    this.#blobs.delete(`${type} ${id}`);
  }

  /** Changes a byte of a blob, and not its id. */
  damage(type: BlobType, id: BlobId): void {
    const bytes = this.#blobs.get(`${type} ${id}`);
    if (bytes?.[0] !== undefined) bytes[0] ^= 1;
  }
}
