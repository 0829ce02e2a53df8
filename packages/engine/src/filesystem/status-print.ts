import type { ByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { copyLastStatus, lookAt } from './file-status.ts';

/**
 * The part of `struct statx` that tells whether an inode is as it was: links, owner, mode, number, size (bytes 16 to 47)
 * and change time, modification time, device numbers (96 to 143). Not its access time, nor how it is stored.
 */
const ranges = [
  { start: 16, end: 48 },
  { start: 96, end: 144 },
] as const;
export const statusPrintBytes = 80;
const inodeAt = 16;
const changedAt = 32;

/** Of the entry that `statusAt` was asked about last, with no other call of this kind in between. */
export function copyLastPrint(into: Buffer, at: number): void {
  let position = at;
  for (const { start, end } of ranges) {
    copyLastStatus(into, position, start, end);
    position += end - start;
  }
}

/** Of an entry of an open directory, into the beginning of `into`; false if there is none of that name. */
export function readPrint(directory: number, name: ByteString, into: Buffer): boolean {
  if (!lookAt(directory, name)) return false;
  copyLastPrint(into, 0);
  return true;
}

export function inodeOfPrint(print: Buffer): bigint {
  return print.readBigUInt64LE(inodeAt);
}

/** Whether the inode's status last changed before that time. */
export function isPrintBefore(print: Buffer, { seconds, nanoseconds }: FileTime): boolean {
  const changed = print.readUInt32LE(changedAt) + print.readInt32LE(changedAt + 4) * 2 ** 32;
  return changed < seconds || (changed === seconds && print.readUInt32LE(changedAt + 8) < nanoseconds);
}
