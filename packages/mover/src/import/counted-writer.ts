import type { Abortable } from '@holdfast/base';
import type { BlobType, BlobWriter, SavedBlob } from '@holdfast/engine';

/** Counts what is added to the repository. */
export class CountedWriter implements BlobWriter {
  readonly #writer: BlobWriter;
  #storedBytes = 0;

  constructor(writer: BlobWriter) {
    this.#writer = writer;
  }

  /** Since the last time that somebody asked. */
  takeStoredBytes(): number {
    const storedBytes = this.#storedBytes;
    this.#storedBytes = 0;
    return storedBytes;
  }

  async saveBlob(type: BlobType, plaintext: Uint8Array, options?: Abortable): Promise<SavedBlob> {
    const saved = await this.#writer.saveBlob(type, plaintext, options);
    this.#storedBytes += saved.storedBytes;
    return saved;
  }

  async saveFile(file: number, sizeBytes: number, options?: Abortable): Promise<SavedBlob | undefined> {
    const saved = await this.#writer.saveFile(file, sizeBytes, options);
    this.#storedBytes += saved?.storedBytes ?? 0;
    return saved;
  }

  async flush(options?: Abortable): Promise<void> {
    await this.#writer.flush(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
  }
}
