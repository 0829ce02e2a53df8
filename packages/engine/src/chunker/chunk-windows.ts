import { ChunkWindow, maxChunkBytes } from './chunk-window.ts';
import type { ChunkerPolynomial } from './polynomial.ts';

/** How much is asked of the kernel at once. */
export const readBytes = 1024 * 1024;
/** Room for the longest chunk and the read that completes it. */
export const windowBytes = maxChunkBytes + 2 * readBytes;

/**
 * Windows that are used again, by any number of backups: what is thrown away lives on until each thread that saw it has
 * collected its garbage, which threads that do little in JavaScript hardly ever do.
 */
export class ChunkWindows {
  readonly polynomial: ChunkerPolynomial;
  readonly #spare: ChunkWindow[] = [];

  constructor(polynomial: ChunkerPolynomial) {
    this.polynomial = polynomial;
  }

  take(): ChunkWindow {
    return this.#spare.pop() ?? new ChunkWindow(this.polynomial, windowBytes);
  }

  /** Nobody uses it any more. */
  give(window: ChunkWindow): void {
    this.#spare.push(window);
  }
}
