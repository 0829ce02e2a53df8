import { HoldfastError } from '@holdfast/base';

/** `interrupt`: Ctrl-C. `terminate`: the system wants the process to end (SIGTERM). */
export type InterruptKind = 'interrupt' | 'terminate';

/**
 * Ctrl-C and its like. Normally the first one fires `signal`; whoever wants to answer it otherwise takes over for a while.
 */
export class Interrupts {
  readonly #controller = new AbortController();
  readonly #handlers: ((kind: InterruptKind) => void)[] = [];

  /** Fires at the first interrupt that nobody took over, with `interrupted` as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Until disposed, `handler` is called for each interrupt and `signal` stays quiet. The last one to take over wins. */
  takeOver(handler: (kind: InterruptKind) => void): Disposable {
    this.#handlers.push(handler);
    return {
      [Symbol.dispose]: () => {
        const index = this.#handlers.lastIndexOf(handler);
        if (index >= 0) this.#handlers.splice(index, 1);
      },
    };
  }

  /** @returns false when it had been interrupted before and nobody took over: time to leave at once */
  interrupt(kind: InterruptKind = 'interrupt'): boolean {
    const handler = this.#handlers.at(-1);
    if (handler !== undefined) {
      handler(kind);
      return true;
    }
    if (this.#controller.signal.aborted) return false;
    this.#controller.abort(new HoldfastError('interrupted', 'Interrupted.'));
    return true;
  }
}
