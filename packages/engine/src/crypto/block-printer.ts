import { NativeMemory } from '../filesystem/native-memory.ts';
import type { MasterKey } from './master-key.ts';
import { createOneTimeMac } from './one-time-mac.ts';

/** Length of a block, as databases have their pages; the last one of a file may be shorter. */
export const blockBytes = 16 * 1024;
export const printBytes = 16;

/**
 * Prints of blocks, to tell whether a block is what it was: Poly1305 under a random key that never leaves the process.
 * Two blocks that differ have the same print with a probability below 2^-90, whoever chose them.
 */
export class BlockPrinter {
  readonly #mac = createOneTimeMac();
  readonly #key = new NativeMemory(32);
  readonly #print = Buffer.alloc(printBytes);
  #printOfZeros: Buffer | undefined;

  constructor({ macR, macK }: MasterKey) {
    Buffer.concat([macR, macK]).copy(this.#key.bytes);
  }

  print(block: Uint8Array, into: Uint8Array): void {
    this.#mac.compute(block, this.#key.bytes, into);
  }

  /** Of each of a row of blocks, one print behind the other. */
  printEach(memory: NativeMemory, lengthBytes: number, into: NativeMemory): void {
    this.#mac.computeEach({ memory, lengthBytes, messageBytes: blockBytes }, this.#key, into);
  }

  hasPrint(block: Uint8Array, print: Uint8Array): boolean {
    this.print(block, this.#print);
    return this.#print.equals(print);
  }

  /** Of a whole block of zeros. */
  get printOfZeros(): Buffer {
    if (this.#printOfZeros === undefined) {
      this.#printOfZeros = Buffer.alloc(printBytes);
      this.print(Buffer.alloc(blockBytes), this.#printOfZeros);
    }
    return this.#printOfZeros;
  }
}

export function blockCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes);
}
