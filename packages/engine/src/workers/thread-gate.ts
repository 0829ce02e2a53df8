const longestWaitMs = 5_000;

const [inside, closed] = [0, 1];

/**
 * Lets a thread be ended only between two pieces of work: one that is ended while it loads or calls a native library
 * takes the process with it. A new gate has the thread inside: it is starting.
 */
export class ThreadGate {
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array;

  /** @param memory of the gate in the other thread */
  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
    this.#state = new Int32Array(this.memory);
    if (memory === undefined) Atomics.store(this.#state, inside, 1);
  }

  /** The thread, before a piece of work: false if it is to do none any more. */
  enter(): boolean {
    Atomics.store(this.#state, inside, 1);
    if (Atomics.load(this.#state, closed) === 0) return true;
    this.leave();
    return false;
  }

  /** The thread, after a piece of work, and when it has started. */
  leave(): void {
    Atomics.store(this.#state, inside, 0);
    Atomics.notify(this.#state, inside);
  }

  /** The others: from when this returns on, the thread does nothing. Waits for the piece of work that it is at. */
  close(): void {
    Atomics.store(this.#state, closed, 1);
    Atomics.wait(this.#state, inside, 1, longestWaitMs);
  }
}
