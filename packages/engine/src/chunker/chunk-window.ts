import { ScannedMemory } from './boundary-scan.ts';
import type { ChunkerPolynomial } from './polynomial.ts';

export const minChunkBytes = 512 * 1024;
export const maxChunkBytes = 8 * 1024 * 1024;

/**
 * Memory that a file is read into and cut where it is, at the very same places as stock restic cuts it with this
 * polynomial: with the first byte, after the least size, where the lowest 20 bits of the fingerprint are zero; on
 * average after 1 MiB more. Nothing of it is copied, and other threads see it.
 */
export class ChunkWindow {
  readonly #memory: ScannedMemory;

  /** @param sizeBytes room for the longest chunk at least */
  constructor(polynomial: ChunkerPolynomial, sizeBytes: number) {
    this.#memory = new ScannedMemory(polynomial, sizeBytes);
  }

  get bytes(): Buffer<SharedArrayBuffer> {
    return this.#memory.bytes;
  }

  /**
   * The index just past the end of the chunk that begins at `chunkStart`; -1 if it does not end before `filled`.
   * Earlier calls have looked at what is before `scanned`.
   */
  findBoundary({ chunkStart, scanned, filled }: WindowState): number {
    const longestEnd = chunkStart + maxChunkBytes;
    const last = this.#memory.findBoundary(
      Math.max(scanned, chunkStart + minChunkBytes - 1),
      Math.min(filled, longestEnd),
    );
    if (last !== -1) return last + 1;
    return filled >= longestEnd ? longestEnd : -1;
  }
}

/** Indexes in a window. */
export interface WindowState {
  readonly chunkStart: number;
  readonly scanned: number;
  readonly filled: number;
}
