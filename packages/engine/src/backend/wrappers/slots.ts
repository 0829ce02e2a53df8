import { type Abortable, throwIfAborted } from '@holdfast/base';

interface Waiting {
  readonly resolve: () => void;
}

/** So many may go on at once; who comes later waits, first come, first served. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<Waiting>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Disposing gives the slot back. Rejects with `interrupted` when the signal fires first. */
  async take({ signal }: Abortable = {}): Promise<Disposable> {
    throwIfAborted(signal);
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    return { [Symbol.dispose]: () => this.#give() };
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { resolve };
    const stop = (): void => {
      if (this.#waiting.delete(waiting)) reject(signal?.reason);
    };
    this.#waiting.add(waiting);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await promise;
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  #give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next.resolve();
  }
}
