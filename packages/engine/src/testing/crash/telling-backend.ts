import type { Abortable } from '@holdfast/base';
import type {
  Backend,
  ByteRange,
  FileKind,
  FileName,
  ListedFile,
  ListedFileKind,
  ListOptions,
  TransferOptions,
} from '../../backend/backend.ts';
import type { CallName, ToldCall } from './victim-task.ts';

/** A backend in front of another that tells of each call when it begins, and again when it has ended well. */
export class TellingBackend implements Backend {
  readonly #inner: Backend;
  readonly #tell: (call: ToldCall) => void;

  constructor(inner: Backend, tell: (call: ToldCall) => void) {
    this.#inner = inner;
    this.#tell = tell;
  }

  get location(): string {
    return this.#inner.location;
  }

  async create(options?: Abortable): Promise<void> {
    await this.#telling('create', { kind: 'config' }, () => this.#inner.create(options));
  }

  async save(file: FileName, parts: readonly Uint8Array[], options?: TransferOptions): Promise<void> {
    await this.#telling('save', file, () => this.#inner.save(file, parts, options));
  }

  async load(file: FileName, options?: TransferOptions): Promise<Buffer | undefined> {
    return await this.#telling('load', file, () => this.#inner.load(file, options));
  }

  async loadRange(file: FileName, range: ByteRange, options?: TransferOptions): Promise<Buffer | undefined> {
    return await this.#telling('loadRange', file, () => this.#inner.loadRange(file, range, options));
  }

  async stat(file: FileName, options?: Abortable): Promise<{ readonly sizeBytes: number } | undefined> {
    return await this.#telling('stat', file, () => this.#inner.stat(file, options));
  }

  async *list(kind: ListedFileKind, options?: ListOptions): AsyncIterable<ListedFile> {
    const call = { call: 'list', kind, id: '' } as const;
    this.#tell({ ...call, hasEnded: false });
    yield* this.#inner.list(kind, options);
    this.#tell({ ...call, hasEnded: true });
  }

  async remove(file: FileName, options?: Abortable): Promise<boolean> {
    return await this.#telling('remove', file, () => this.#inner.remove(file, options));
  }

  async removeLeftovers(writtenBeforeMs: number, options?: Abortable): Promise<number> {
    return await this.#telling('removeLeftovers', { kind: 'config' }, () =>
      this.#inner.removeLeftovers(writtenBeforeMs, options),
    );
  }

  async #telling<T>(call: CallName, file: FileName, work: () => Promise<T>): Promise<T> {
    const kind: FileKind = file.kind;
    const id = file.kind === 'config' ? '' : file.id;
    this.#tell({ call, kind, id, hasEnded: false });
    const result = await work();
    this.#tell({ call, kind, id, hasEnded: true });
    return result;
  }
}
