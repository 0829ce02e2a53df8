import { readSync } from 'node:fs';

/** Fills the buffer from a position of an open file on; returns how many bytes, fewer only at the file's end. */
export function readUpTo(file: number, into: Buffer, position: number): number {
  let filled = 0;
  while (filled < into.length) {
    const bytesRead = readSync(file, into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
