import koffi from 'koffi';
import type { ByteString } from '../format/byte-string.ts';
import { SystemError } from './system-error.ts';

/**
 * Memory that system calls read and write by its address, which stays the same as long as the object lives: passing
 * a number is several times faster than passing a Buffer.
 */
export class NativeMemory {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly address: number;

  constructor(sizeBytes: number) {
    this.bytes = Buffer.alloc(sizeBytes);
    this.address = Number(koffi.address(this.bytes));
  }
}

/** PATH_MAX, with its zero. */
const longestPathBytes = 4096;
let scratch: NativeMemory | undefined;

/**
 * The address of a name or path as C takes it, good until the next call of this function.
 * A zero within it would cut it short: callers refuse those.
 */
export function cStringAddress(value: ByteString): number {
  if (value.length >= longestPathBytes) throw new SystemError('ENAMETOOLONG', 'path');
  scratch ??= new NativeMemory(longestPathBytes);
  scratch.bytes.write(value, 0, 'latin1');
  scratch.bytes[value.length] = 0;
  return scratch.address;
}
