import { type Abortable, HoldfastError } from '@holdfast/base';
import type {
  Backend,
  ByteRange,
  FileKind,
  FileName,
  ListedFile,
  ListedFileKind,
} from '../backend/backend.ts';

/** A backend in front of another that does not answer for the kinds of files that are `down`. */
export class FaultBackend implements Backend {
  readonly #inner: Backend;
  readonly down = new Set<FileKind>();
  /** How many calls were refused. */
  faults = 0;

  constructor(inner: Backend) {
    this.#inner = inner;
  }

  get location(): string {
    return this.#inner.location;
  }

  async create(): Promise<void> {
    await this.#inner.create();
  }

  async save(file: FileName, parts: readonly Uint8Array[], options?: Abortable): Promise<void> {
    this.#mayFail(file.kind);
    await this.#inner.save(file, parts, options);
  }

  async load(file: FileName): Promise<Buffer | undefined> {
    this.#mayFail(file.kind);
    return await this.#inner.load(file);
  }

  async loadRange(file: FileName, range: ByteRange): Promise<Buffer | undefined> {
    this.#mayFail(file.kind);
    return await this.#inner.loadRange(file, range);
  }

  async stat(file: FileName): Promise<{ readonly sizeBytes: number } | undefined> {
    this.#mayFail(file.kind);
    return await this.#inner.stat(file);
  }

  async *list(kind: ListedFileKind): AsyncIterable<ListedFile> {
    this.#mayFail(kind);
    yield* this.#inner.list(kind);
  }

  async remove(file: FileName): Promise<boolean> {
    this.#mayFail(file.kind);
    return await this.#inner.remove(file);
  }

  async removeLeftovers(writtenBeforeMs: number): Promise<number> {
    return await this.#inner.removeLeftovers(writtenBeforeMs);
  }

  #mayFail(kind: FileKind): void {
    if (!this.down.has(kind)) return;
    this.faults += 1;
    throw new HoldfastError('storage-unreachable', 'The storage does not answer.', { retry: true });
  }
}
