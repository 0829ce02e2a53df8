import type { Abortable } from '@holdfast/base';
import type { BlobType, BlobWriter, SavedBlob } from '@holdfast/engine';

/** Counts what a writer adds to the repository. */
export class CountedWriter implements BlobWriter {
  readonly #writer: BlobWriter;
  readonly #blobs: Record<BlobType, number> = { data: 0, tree: 0 };
  #addedBytes = 0;
  #storedBytes = 0;

  constructor(writer: BlobWriter) {
    this.#writer = writer;
  }

  get dataBlobs(): number {
    return this.#blobs.data;
  }

  get treeBlobs(): number {
    return this.#blobs.tree;
  }

  /** Bytes of new blobs, before compression. */
  get addedBytes(): number {
    return this.#addedBytes;
  }

  /** Bytes of new blobs in their packs. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  async saveBlob(type: BlobType, plaintext: Uint8Array, options?: Abortable): Promise<SavedBlob> {
    return this.#count(type, await this.#writer.saveBlob(type, plaintext, options));
  }

  async saveFile(file: number, sizeBytes: number, options?: Abortable): Promise<SavedBlob | undefined> {
    const saved = await this.#writer.saveFile(file, sizeBytes, options);
    return saved && this.#count('data', saved);
  }

  async flush(options?: Abortable): Promise<void> {
    await this.#writer.flush(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }

  #count(type: BlobType, saved: SavedBlob): SavedBlob {
    if (saved.isNew) {
      this.#blobs[type] += 1;
      this.#addedBytes += saved.sizeBytes;
      this.#storedBytes += saved.storedBytes;
    }
    return saved;
  }
}
