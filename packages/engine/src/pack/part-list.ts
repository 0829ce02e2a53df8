import { SlabPool, slabBytes } from './slab-pool.ts';

/** Gathers copies of bytes in a row. */
export class PartList {
  readonly #pool: SlabPool;
  #slabs: Buffer[] = [];
  #totalBytes = 0;

  constructor(pool = new SlabPool()) {
    this.#pool = pool;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  append(bytes: Uint8Array): void {
    for (let copied = 0; copied < bytes.length; ) {
      const filled = this.#totalBytes % slabBytes;
      if (filled === 0) this.#slabs.push(this.#pool.take());
      const length = Math.min(bytes.length - copied, slabBytes - filled);
      this.#slabs.at(-1)?.set(bytes.subarray(copied, copied + length), filled);
      copied += length;
      this.#totalBytes += length;
    }
  }

  /** Everything, in pieces. They are good until `release`. */
  parts(): readonly Buffer[] {
    return this.#slabs.map((slab, at) => slab.subarray(0, this.#totalBytes - at * slabBytes));
  }

  /** Gives the memory back: the list is empty again. */
  release(): void {
    this.#pool.give(this.#slabs);
    this.#slabs = [];
    this.#totalBytes = 0;
  }
}
