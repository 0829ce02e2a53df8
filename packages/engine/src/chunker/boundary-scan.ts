import { readFileSync } from 'node:fs';
import type { ChunkerPolynomial } from './polynomial.ts';
import { fingerprintTables } from './tables.ts';

const pageBytes = 64 * 1024;
/** Behind the tables. */
const bytesAt = 8 * 1024;

let compiled: WebAssembly.Module | undefined;

/** Memory in which the compiled form of `assembly/boundary-scan.ts` finds where chunks may end. All threads see it. */
export class ScannedMemory {
  readonly bytes: Buffer<SharedArrayBuffer>;
  readonly #findBoundary: (from: number, to: number) => number;

  constructor(polynomial: ChunkerPolynomial, sizeBytes: number) {
    compiled ??= new WebAssembly.Module(readFileSync(new URL('boundary-scan.wasm', import.meta.url)));
    const pages = Math.ceil((bytesAt + sizeBytes) / pageBytes);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const instance = new WebAssembly.Instance(compiled, { env: { memory } });
    const { buffer } = memory;
    this.#findBoundary = instance.exports.findBoundary as (from: number, to: number) => number;
    new BigUint64Array(buffer).set(fingerprintTables(polynomial));
    this.bytes = Buffer.from(buffer, bytesAt, sizeBytes);
  }

  /**
   * The index of the first byte in `from` … `to` - 1 with which a chunk may end; -1 if there is none. The 63 bytes
   * before `from` count too.
   */
  findBoundary(from: number, to: number): number {
    const found = from < to ? this.#findBoundary(bytesAt + from, bytesAt + to) - bytesAt : to;
    return found === to ? -1 : found;
  }
}
