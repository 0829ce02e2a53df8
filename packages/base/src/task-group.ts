import type { Abortable } from './abort.ts';
import { toHoldfastError } from './holdfast-error.ts';

/**
 * Work that runs beside the one who started it. The first failure aborts `signal` with itself as the reason, which
 * everybody who shares the signal then throws; `settled` waits until nothing runs any more.
 */
export class TaskGroup implements AsyncDisposable {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor({ signal }: Abortable = {}) {
    this.signal =
      signal === undefined ? this.#controller.signal : AbortSignal.any([signal, this.#controller.signal]);
  }

  /** The same promise, watched. Nobody needs to await it: a rejection comes out of the group. */
  start<Result>(task: Promise<Result>): Promise<Result> {
    this.#running.add(task);
    task.then(
      () => this.#running.delete(task),
      (error: unknown) => {
        this.#running.delete(task);
        this.fail(error);
      },
    );
    return task;
  }

  fail(error: unknown): void {
    this.#controller.abort(toHoldfastError(error));
  }

  /** Resolves when every task has ended, however it ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
  /** Interrupts what still runs, and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort();
    await this.settled();
  }
}
