import {
  type Abortable,
  type Clock,
  HoldfastError,
  isHoldfastError,
  sleep,
  systemClock,
} from '@holdfast/base';

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

/** Repeats calls at one place that failed with an error that says `retry`; the last one's error is told. */
export class Repeater {
  readonly #settings: Settings;
  #hasAnswered = false;

  constructor(options: RetryOptions = {}) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    this.#settings = { ...defaults, ...Object.fromEntries(given) };
  }

  async repeat<T>(options: Abortable | undefined, call: () => Promise<T>): Promise<T> {
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

/** The same failure, that says how often it was met. */
function lasting(error: HoldfastError, attempts: number): HoldfastError {
  return new HoldfastError(error.code, error.message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    context: { ...error.context, attempts },
    retry: error.retry,
    cause: error.cause,
  });
}
