export const slabBytes = 1024 * 1024;
/** As much as a few packs take. */
const mostSpareSlabs = 80;

/**
 * Memory for packs, in pieces of one size that are used again: what is thrown away has to be collected first. All
 * threads see it.
 */
export class SlabPool {
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.from(new SharedArrayBuffer(slabBytes));
  }

  /** The caller uses them no more. */
  give(slabs: readonly Buffer[]): void {
    this.#spare.push(...slabs.slice(0, mostSpareSlabs - this.#spare.length));
  }
}
