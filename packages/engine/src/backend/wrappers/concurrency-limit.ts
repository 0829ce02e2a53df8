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
import { ForwardingBackend } from './forwarding-backend.ts';
import { Slots } from './slots.ts';

/**
 * Lets so many calls at the place at once; the others wait their turn. Locks never wait: a process that cannot refresh
 * its lock for all its uploads is taken for dead. A listing takes its turn for each step, so work on what it listed
 * may go on in between.
 */
export function withConcurrencyLimit(inner: Backend, maxCalls: number): Backend {
  return new ConcurrencyLimit(inner, maxCalls);
}

class ConcurrencyLimit extends ForwardingBackend {
  readonly #slots: Slots;

  constructor(inner: Backend, maxCalls: number) {
    super(inner);
    this.#slots = new Slots(maxCalls);
  }

  override async save(
    file: FileName,
    parts: readonly Uint8Array[],
    options?: TransferOptions,
  ): Promise<void> {
    await this.#inTurn(file, options, () => this.inner.save(file, parts, options));
  }

  override async load(file: FileName, options?: LoadOptions): Promise<Buffer | undefined> {
    return await this.#inTurn(file, options, () => this.inner.load(file, options));
  }

  override async loadRange(
    file: FileName,
    range: ByteRange,
    options?: LoadOptions,
  ): Promise<Buffer | undefined> {
    return await this.#inTurn(file, options, () => this.inner.loadRange(file, range, options));
  }

  override async stat(
    file: FileName,
    options?: Abortable,
  ): Promise<{ readonly sizeBytes: number } | undefined> {
    return await this.#inTurn(file, options, () => this.inner.stat(file, options));
  }

  override async remove(file: FileName, options?: Abortable): Promise<boolean> {
    return await this.#inTurn(file, options, () => this.inner.remove(file, options));
  }

  override async *list(kind: ListedFileKind, options?: ListOptions): AsyncIterable<ListedFile> {
    const files = this.inner.list(kind, options)[Symbol.asyncIterator]();
    try {
      while (true) {
        const step = await this.#inTurn({ kind }, options, () => files.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      await files.return?.();
    }
  }

  async #inTurn<T>(
    { kind }: Pick<FileName, 'kind'>,
    options: Abortable | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    if (kind === 'lock') return await call();
    using _ = await this.#slots.take(options);
    return await call();
  }
}
