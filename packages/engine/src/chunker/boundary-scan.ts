import { readFileSync } from 'node:fs';
import type { ChunkerPolynomial } from './polynomial.ts';
import { fingerprintTables, windowBytes } from './tables.ts';

/** What one call scans at most: it stays in the processor's cache. */
export const maxPieceBytes = 256 * 1024;

const pageBytes = 64 * 1024;
/** Behind the tables, with room for a window before it. */
const pieceAt = 8 * 1024;

let compiled: WebAssembly.Module | undefined;

/** The compiled form of `assembly/boundary-scan.ts`, with a memory of its own. */
export class BoundaryScan {
  readonly #memory: Uint8Array;
  readonly #findBoundary: (from: number, to: number) => number;

  constructor(polynomial: ChunkerPolynomial) {
    compiled ??= new WebAssembly.Module(readFileSync(new URL('boundary-scan.wasm', import.meta.url)));
    const memory = new WebAssembly.Memory({ initial: (pieceAt + maxPieceBytes) / pageBytes + 1 });
    const instance = new WebAssembly.Instance(compiled, { env: { memory } });
    this.#findBoundary = instance.exports.findBoundary as (from: number, to: number) => number;
    new BigUint64Array(memory.buffer).set(fingerprintTables(polynomial));
    this.#memory = new Uint8Array(memory.buffer);
  }

  /**
   * Reads a piece, as the continuation of those before it. Returns the index in the piece of the first byte, at
   * `checkFrom` or later, with which a chunk may end; -1 if there is none. At least 64 bytes have to have been read
   * with the byte at `checkFrom`; after a boundary the piece must not be continued, but for what follows that needs no window.
   */
  findInPiece(piece: Uint8Array, checkFrom: number): number {
    const end = pieceAt + piece.length;
    this.#memory.set(piece, pieceAt);
    const found = checkFrom < piece.length ? this.#findBoundary(pieceAt + checkFrom, end) : end;
    if (found !== end) return found - pieceAt;
    this.#memory.copyWithin(pieceAt - windowBytes, end - windowBytes, end);
    return -1;
  }
}
