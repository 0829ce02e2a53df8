import type { ByteString } from '../format/byte-string.ts';
import { systemCalls } from './system-calls.ts';
import { check } from './system-error.ts';

const recordBufferBytes = 128 * 1024;
const nameOffset = 19;
const seekStart = 0;

/** Names of all entries but `.` and `..`, sorted by their bytes. Moves the descriptor's position. */
export function entryNames(directory: number): ByteString[] {
  const records = Buffer.allocUnsafe(recordBufferBytes);
  const names: ByteString[] = [];
  check(systemCalls().lseek(directory, 0, seekStart), 'lseek');
  for (;;) {
    const filled = check(systemCalls().getdents64(directory, records, records.length), 'getdents64');
    if (filled === 0) return names.sort(byBytes);
    readRecords(records, filled, names);
  }
}

/** Each record of `struct linux_dirent64`: inode, offset, its own length, type, and the name with a zero. */
function readRecords(records: Buffer, filled: number, names: ByteString[]): void {
  let at = 0;
  while (at < filled) {
    const nameStart = at + nameOffset;
    const name = records.toString('latin1', nameStart, records.indexOf(0, nameStart)) as ByteString;
    if (name !== '.' && name !== '..') names.push(name);
    at += records.readUInt16LE(at + 16);
  }
}

function byBytes(a: ByteString, b: ByteString): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
