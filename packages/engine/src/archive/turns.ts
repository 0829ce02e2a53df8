import { setImmediate } from 'node:timers/promises';
import { type Abortable, throwIfAborted } from '@holdfast/base';

const stepsPerTurn = 256;

/** For long loops that wait for nothing: now and then other work of the process gets its turn, timers and signals too. */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  #steps = 0;

  constructor({ signal }: Abortable) {
    this.#signal = signal;
  }

  /** @throws HoldfastError `interrupted` */
  async step(): Promise<void> {
    this.#steps += 1;
    if (this.#steps % stepsPerTurn !== 0) return;
    await setImmediate();
    throwIfAborted(this.#signal);
  }
}
