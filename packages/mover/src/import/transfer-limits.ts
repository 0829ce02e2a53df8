import type { HoldfastError } from '@holdfast/base';

/** Fires its signal with the error once the time is up. Disposing ends it. */
export class Deadline implements Disposable {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(durationMs: number, error: () => HoldfastError) {
    this.#timer = setTimeout(() => this.#abort.abort(error()), durationMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

export interface LeastRate {
  readonly windowMs: number;
  /** In each window, whatever else happens in it. */
  readonly leastBytes: number;
}

/** Fires its signal with the error after a window in which too little came. Disposing ends it. */
export class RateGuard implements Disposable {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  constructor({ windowMs, leastBytes }: LeastRate, error: () => HoldfastError) {
    this.#timer = setInterval(() => {
      if (this.#bytes < leastBytes) this.#abort.abort(error());
      this.#bytes = 0;
    }, windowMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
