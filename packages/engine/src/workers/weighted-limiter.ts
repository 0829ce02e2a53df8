import { type Abortable, throwIfAborted } from '@holdfast/base';

interface Waiter {
  readonly weight: number;
  readonly admit: () => void;
}

/**
 * Bounds how much is under way at once: bytes of memory, or a number of things. First come, first served.
 * Something heavier than the whole limit is let in alone.
 */
export class WeightedLimiter {
  readonly #limit: number;
  readonly #waiting: Waiter[] = [];
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for room; whoever got it calls `release` with the same weight. @throws HoldfastError `interrupted` */
  async acquire(weight: number, { signal }: Abortable = {}): Promise<void> {
    throwIfAborted(signal);
    if (this.#waiting.length === 0 && this.#fits(weight)) {
      this.#used += weight;
      return;
    }
    await this.#wait(weight, signal);
  }

  /** Counts what is under way already, whether there was room for it or not. */
  add(weight: number): void {
    this.#used += weight;
  }

  release(weight: number): void {
    this.#used -= weight;
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#fits(next.weight);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#used += next.weight;
      next.admit();
    }
  }

  async #wait(weight: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter: Waiter = { weight, admit: resolve };
    const giveUp = (): void => {
      const position = this.#waiting.indexOf(waiter);
      if (position === -1) return;
      this.#waiting.splice(position, 1);
      this.#used += weight;
      resolve();
    };
    this.#waiting.push(waiter);
    signal?.addEventListener('abort', giveUp, { once: true });
    await promise;
    signal?.removeEventListener('abort', giveUp);
    if (signal?.aborted) this.release(weight);
    throwIfAborted(signal);
  }

  #fits(weight: number): boolean {
    return this.#used === 0 || this.#used + weight <= this.#limit;
  }
}
