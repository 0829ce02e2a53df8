import {
  type Abortable,
  type Clock,
  HoldfastError,
  isHoldfastError,
  sleep,
  systemClock,
} from '@holdfast/base';
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

export interface Retry {
  readonly error: HoldfastError;
  /** Of the attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
}

export interface RetryOptions {
  /** Of one call, the first attempt included. */
  readonly maxAttempts?: number | undefined;
  /** The same, until the place has answered for the first time: it is more likely wrong than down. */
  readonly maxFirstAttempts?: number | undefined;
  /** Doubles with each attempt, up to `maxDelayMs`; a random half of it is left out. */
  readonly firstDelayMs?: number | undefined;
  readonly maxDelayMs?: number | undefined;
  /** No attempt begins later than this after the first. */
  readonly maxElapsedMs?: number | undefined;
  readonly onRetry?: ((retry: Retry) => void) | undefined;
  readonly clock?: Clock | undefined;
  readonly sleep?: ((durationMs: number, options: Abortable) => Promise<void>) | undefined;
  /** From 0 up to 1. */
  readonly random?: (() => number) | undefined;
}

type Settings = { readonly [Name in keyof RetryOptions]-?: NonNullable<RetryOptions[Name]> };

/** Half a minute of growing waits, then one every half minute: about two minutes of no answer end a call. */
const defaults: Settings = {
  maxAttempts: 10,
  maxFirstAttempts: 5,
  firstDelayMs: 250,
  maxDelayMs: 30_000,
  maxElapsedMs: 15 * 60_000,
  onRetry: () => {},
  clock: systemClock,
  sleep,
  random: Math.random,
};

/**
 * Repeats calls that failed with an error that says `retry`; the last one's error is told. Every call of a backend
 * may run twice: files are named by their contents, and removing one again does no harm (but then says `false`).
 * A listing goes on behind the last file that it told of.
 *
 * A whole file that does not match its name is read once more; what comes then is returned as it is, and whoever asked
 * for it finds what is wrong. A range may be short because the file ends: a backend fails when less came than is there.
 */
export function withRetries(inner: Backend, options: RetryOptions = {}): Backend {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return new Retries(inner, { ...defaults, ...Object.fromEntries(given) });
}

class Retries extends ForwardingBackend {
  readonly #settings: Settings;
  #hasAnswered = false;

  constructor(inner: Backend, settings: Settings) {
    super(inner);
    this.#settings = settings;
  }

  override async create(options?: Abortable): Promise<void> {
    await this.#repeat(options, () => this.inner.create(options));
  }

  override async save(
    file: FileName,
    parts: readonly Uint8Array[],
    options?: TransferOptions,
  ): Promise<void> {
    await this.#repeat(options, () => this.inner.save(file, parts, options));
  }

  override async load(file: FileName, options?: LoadOptions): Promise<Buffer | undefined> {
    const load = (): Promise<Buffer | undefined> =>
      this.#repeat(options, () => this.inner.load(file, options));
    const contents = await load();
    return contents === undefined || isWhole(file, contents) ? contents : await load();
  }

  override async loadRange(
    file: FileName,
    range: ByteRange,
    options?: LoadOptions,
  ): Promise<Buffer | undefined> {
    return await this.#repeat(options, () => this.inner.loadRange(file, range, options));
  }

  override async stat(
    file: FileName,
    options?: Abortable,
  ): Promise<{ readonly sizeBytes: number } | undefined> {
    return await this.#repeat(options, () => this.inner.stat(file, options));
  }

  override async remove(file: FileName, options?: Abortable): Promise<boolean> {
    return await this.#repeat(options, () => this.inner.remove(file, options));
  }

  override async removeLeftovers(writtenBeforeMs: number, options?: Abortable): Promise<number> {
    return await this.#repeat(options, () => this.inner.removeLeftovers(writtenBeforeMs, options));
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
        const step = await this.#repeat(options, next);
        if (step.done === true) return;
        after = step.value.id;
        yield step.value;
      }
    } finally {
      await files.return?.();
    }
  }

  async #repeat<T>(options: Abortable | undefined, call: () => Promise<T>): Promise<T> {
    const { clock, maxElapsedMs, maxAttempts, maxFirstAttempts } = this.#settings;
    const startMs = clock.elapsed();
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await call();
        this.#hasAnswered = true;
        return result;
      } catch (error) {
        if (!isHoldfastError(error) || !error.retry) throw error;
        const delayMs = this.#delayMs(attempt);
        const elapsedMs = clock.elapsed() - startMs;
        const attempts = this.#hasAnswered ? maxAttempts : maxFirstAttempts;
        if (attempt >= attempts || elapsedMs + delayMs > maxElapsedMs) throw lasting(error, attempt);
        this.#settings.onRetry({ error, attempt, delayMs });
        await this.#settings.sleep(delayMs, { signal: options?.signal });
      }
    }
  }

  #delayMs(attempt: number): number {
    const { firstDelayMs, maxDelayMs, random } = this.#settings;
    const longestMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
    return (longestMs * (1 + random())) / 2;
  }
}

function isWhole(file: FileName, contents: Buffer): boolean {
  return file.kind === 'config' || sha256(contents) === file.id;
}

/** The same failure, that says how often it was met. */
function lasting(error: HoldfastError, attempts: number): HoldfastError {
  return new HoldfastError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    context: { ...error.context, attempts },
    retry: error.retry,
    cause: error.cause,
  });
}
