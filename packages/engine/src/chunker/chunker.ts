import type { ChunkerPolynomial } from './polynomial.ts';
import { type FingerprintTables, fingerprintTables, topByteShift, windowBytes } from './tables.ts';

export const minChunkBytes = 512 * 1024;
export const maxChunkBytes = 8 * 1024 * 1024;

/** A chunk ends where the fingerprint's lowest 20 bits are zero: on average after 1 MiB. */
const boundaryMask = 2 ** 20 - 1;

/**
 * Finds where content-defined chunks end, at the very same places as stock restic does with this polynomial.
 * One instance serves one stream at a time; it copies nothing but the last 64 bytes of each call.
 */
export class Chunker {
  readonly #tables: FingerprintTables;
  /** The last 64 bytes fingerprinted, oldest first. All zero, as the fingerprint is, before the first. */
  readonly #window = new Uint8Array(windowBytes);
  #high = 0;
  #low = 0;
  #chunkBytes = 0;

  constructor(polynomial: ChunkerPolynomial) {
    this.#tables = fingerprintTables(polynomial);
  }

  /**
   * Reads `bytes` from `start` on, as the continuation of what earlier calls read.
   * Returns the index just past the end of the current chunk, and is then ready for the next chunk, which begins at
   * that index; or -1 if the chunk goes on past the end of `bytes`, all of which is then read.
   * At the end of a stream, what was read since the last boundary (if anything) is the last chunk: call `reset`.
   */
  findBoundary(bytes: Uint8Array, start: number): number {
    const unhashedBytes = Math.max(0, minChunkBytes - windowBytes - this.#chunkBytes);
    const hashStart = start + Math.min(unhashedBytes, bytes.length - start);
    this.#chunkBytes += hashStart - start;
    const boundary = this.#fingerprint(bytes, hashStart);
    if (boundary !== -1) this.reset();
    return boundary;
  }

  /** Forgets the current chunk: the next byte read is the first of a new one. */
  reset(): void {
    this.#window.fill(0);
    this.#high = 0;
    this.#low = 0;
    this.#chunkBytes = 0;
  }

  #fingerprint(bytes: Uint8Array, start: number): number {
    const { reduceHigh, reduceLow, leaveHigh, leaveLow } = this.#tables;
    const window = this.#window;
    const end = Math.min(bytes.length, start + maxChunkBytes - this.#chunkBytes);
    const checkFrom = start + minChunkBytes - this.#chunkBytes - 1;
    const windowEnd = Math.min(end, start + windowBytes);
    let high = this.#high;
    let low = this.#low;
    let at = start;

    for (; at < windowEnd; at += 1) {
      const leaving = window[at - start] as number;
      high ^= leaveHigh[leaving] as number;
      low ^= leaveLow[leaving] as number;
      const top = high >>> topByteShift;
      high = ((high << 8) | (low >>> 24)) ^ (reduceHigh[top] as number);
      low = ((low << 8) | (bytes[at] as number)) ^ (reduceLow[top] as number);
      if ((low & boundaryMask) === 0 && at >= checkFrom) return at + 1;
    }
    // From here on the byte that leaves is in `bytes` itself, and the chunk has its least size.
    for (; at < end; at += 1) {
      const leaving = bytes[at - windowBytes] as number;
      high ^= leaveHigh[leaving] as number;
      low ^= leaveLow[leaving] as number;
      const top = high >>> topByteShift;
      high = ((high << 8) | (low >>> 24)) ^ (reduceHigh[top] as number);
      low = ((low << 8) | (bytes[at] as number)) ^ (reduceLow[top] as number);
      if ((low & boundaryMask) === 0) return at + 1;
    }
    this.#high = high;
    this.#low = low;
    this.#chunkBytes += end - start;
    if (this.#chunkBytes === maxChunkBytes) return end;
    this.#keepWindow(bytes, start, end);
    return -1;
  }

  #keepWindow(bytes: Uint8Array, start: number, end: number): void {
    const freshBytes = Math.min(windowBytes, end - start);
    this.#window.copyWithin(0, freshBytes);
    this.#window.set(bytes.subarray(end - freshBytes, end), windowBytes - freshBytes);
  }
}
