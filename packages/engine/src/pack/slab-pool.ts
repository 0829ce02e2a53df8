export const slabBytes = 1024 * 1024;

/**
 * Memory for packs, in pieces of one size that are used again. All threads see it. Nothing is thrown away before the
 * pool is: memory that other threads have seen lives on until each of them has collected its garbage, which threads
 * that do little in JavaScript hardly ever do.
 */
export class SlabPool {
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.from(new SharedArrayBuffer(slabBytes));
  }

  /** The caller uses them no more. */
  give(slabs: readonly Buffer[]): void {
    this.#spare.push(...slabs);
  }
}
