import type { Abortable } from '@holdfast/base';
import { sha256 } from '../../crypto/hash.ts';
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
import { Repeater, type RetryOptions } from './repeater.ts';

/**
 * Repeats calls that failed with an error that says `retry`; the last one's error is told. Every call of a backend
 * may run twice: files are named by their contents, and removing one again does no harm (but then says `false`).
 * A listing goes on behind the last file that it told of.
 *
 * A whole file that does not match its name is read once more; what comes then is returned as it is, and whoever asked
 * for it finds what is wrong. A range may be short because the file ends: a backend fails when less came than is there.
 */
export function withRetries(inner: Backend, options: RetryOptions = {}): Backend {
  return new Retries(inner, new Repeater(options));
}

class Retries extends ForwardingBackend {
  readonly #repeater: Repeater;

  constructor(inner: Backend, repeater: Repeater) {
    super(inner);
    this.#repeater = repeater;
  }

  override async create(options?: Abortable): Promise<void> {
    await this.#repeater.repeat(options, () => this.inner.create(options));
  }

  override async save(
    file: FileName,
    parts: readonly Uint8Array[],
    options?: TransferOptions,
  ): Promise<void> {
    await this.#repeater.repeat(options, () => this.inner.save(file, parts, options));
  }

  override async load(file: FileName, options?: LoadOptions): Promise<Buffer | undefined> {
    const load = (): Promise<Buffer | undefined> =>
      this.#repeater.repeat(options, () => this.inner.load(file, options));
    const contents = await load();
    return contents === undefined || isWhole(file, contents) ? contents : await load();
  }

  override async loadRange(
    file: FileName,
    range: ByteRange,
    options?: LoadOptions,
  ): Promise<Buffer | undefined> {
    return await this.#repeater.repeat(options, () => this.inner.loadRange(file, range, options));
  }

  override async stat(
    file: FileName,
    options?: Abortable,
  ): Promise<{ readonly sizeBytes: number } | undefined> {
    return await this.#repeater.repeat(options, () => this.inner.stat(file, options));
  }

  override async remove(file: FileName, options?: Abortable): Promise<boolean> {
    return await this.#repeater.repeat(options, () => this.inner.remove(file, options));
  }

  override async removeLeftovers(writtenBeforeMs: number, options?: Abortable): Promise<number> {
    return await this.#repeater.repeat(options, () => this.inner.removeLeftovers(writtenBeforeMs, options));
  }

  override async *list(kind: ListedFileKind, options?: ListOptions): AsyncIterable<ListedFile> {
    const open = (after: string | undefined): AsyncIterator<ListedFile> =>
      this.inner.list(kind, { ...options, after })[Symbol.asyncIterator]();
    let after = options?.after;
    let files = open(after);
    let isBroken = false;
    const next = async (): Promise<IteratorResult<ListedFile>> => {
      if (isBroken) files = open(after);
      isBroken = true;
      const step = await files.next();
      isBroken = false;
      return step;
    };
    try {
      while (true) {
        const step = await this.#repeater.repeat(options, next);
        if (step.done === true) return;
        after = step.value.id;
        yield step.value;
      }
    } finally {
      await files.return?.();
    }
  }
}

function isWhole(file: FileName, contents: Buffer): boolean {
  return file.kind === 'config' || sha256(contents) === file.id;
}
