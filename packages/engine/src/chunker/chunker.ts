import { ScannedMemory } from './boundary-scan.ts';
import type { ChunkerPolynomial } from './polynomial.ts';
import { windowBytes } from './tables.ts';

export const minChunkBytes = 512 * 1024;
export const maxChunkBytes = 8 * 1024 * 1024;

/** What is scanned at once: it stays in the processor's cache. */
const pieceBytes = 256 * 1024;

/**
 * Finds where content-defined chunks end, at the very same places as stock restic does with this polynomial: with the
 * first byte, after the least size, where the lowest 20 bits of the fingerprint are zero; on average after 1 MiB more.
 * One instance serves one stream at a time; it keeps nothing of the bytes but a window of 64.
 */
export class Chunker {
  readonly #piece: ScannedMemory;
  #chunkBytes = 0;

  constructor(polynomial: ChunkerPolynomial) {
    this.#piece = new ScannedMemory(polynomial, pieceBytes);
  }

  /**
   * Reads `bytes` from `start` on, as the continuation of what earlier calls read.
   * Returns the index just past the end of the current chunk, and is then ready for the next chunk, which begins at
   * that index; or -1 if the chunk goes on past the end of `bytes`, all of which is then read.
   * At the end of a stream, what was read since the last boundary (if anything) is the last chunk: call `reset`.
   */
  findBoundary(bytes: Uint8Array, start: number): number {
    // No window that ends before the least size matters: what is before its first byte is not even looked at.
    let at =
      start + Math.min(Math.max(0, minChunkBytes - windowBytes - this.#chunkBytes), bytes.length - start);
    this.#chunkBytes += at - start;
    while (at < bytes.length) {
      const length = Math.min(bytes.length - at, maxChunkBytes - this.#chunkBytes, pieceBytes);
      const checkFrom = Math.max(0, minChunkBytes - 1 - this.#chunkBytes);
      this.#piece.bytes.set(bytes.subarray(at, at + length));
      const last = this.#piece.findBoundary(checkFrom, length);
      if (last !== -1) {
        this.reset();
        return at + last + 1;
      }
      this.#piece.continueAfter(length);
      at += length;
      this.#chunkBytes += length;
      if (this.#chunkBytes === maxChunkBytes) {
        this.reset();
        return at;
      }
    }
    return -1;
  }

  /** Forgets the current chunk: the next byte read is the first of a new one. */
  reset(): void {
    this.#chunkBytes = 0;
  }
}
