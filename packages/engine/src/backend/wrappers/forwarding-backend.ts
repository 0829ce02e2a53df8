import type { Abortable } from '@holdfast/base';
import type {
  Backend,
  ByteRange,
  FileName,
  ListedFile,
  ListedFileKind,
  ListOptions,
  LoadOptions,
  TransferOptions,
} from '../backend.ts';

/** Passes every call on to another backend. A wrapper overrides what it changes. */
export class ForwardingBackend implements Backend {
  protected readonly inner: Backend;

  constructor(inner: Backend) {
    this.inner = inner;
  }

  get location(): string {
    return this.inner.location;
  }

  async create(options?: Abortable): Promise<void> {
    await this.inner.create(options);
  }

  async save(file: FileName, parts: readonly Uint8Array[], options?: TransferOptions): Promise<void> {
    await this.inner.save(file, parts, options);
  }

  async load(file: FileName, options?: LoadOptions): Promise<Buffer | undefined> {
    return await this.inner.load(file, options);
  }

  async loadRange(file: FileName, range: ByteRange, options?: LoadOptions): Promise<Buffer | undefined> {
    return await this.inner.loadRange(file, range, options);
  }

  async stat(file: FileName, options?: Abortable): Promise<{ readonly sizeBytes: number } | undefined> {
    return await this.inner.stat(file, options);
  }

  list(kind: ListedFileKind, options?: ListOptions): AsyncIterable<ListedFile> {
    return this.inner.list(kind, options);
  }

  async remove(file: FileName, options?: Abortable): Promise<boolean> {
    return await this.inner.remove(file, options);
  }

  async removeLeftovers(writtenBeforeMs: number, options?: Abortable): Promise<number> {
    return await this.inner.removeLeftovers(writtenBeforeMs, options);
  }
}
