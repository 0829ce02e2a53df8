import type { ByteString } from '../format/byte-string.ts';
import { NativeMemory } from './native-memory.ts';
import { systemCalls } from './system-calls.ts';
import { check } from './system-error.ts';

const recordBufferBytes = 128 * 1024;
const lengthOffset = 16;
const nameOffset = 19;
const seekStart = 0;

/** One for all calls: each is read out before the next. */
let records: NativeMemory | undefined;

/** Names of all entries but `.` and `..`, sorted by their bytes. Moves the descriptor's position. */
export function entryNames(directory: number): ByteString[] {
  records ??= new NativeMemory(recordBufferBytes);
  const { bytes, address } = records;
  const calls = systemCalls();
  const names: ByteString[] = [];
  check(calls.lseek(directory, 0, seekStart), 'lseek');
  for (;;) {
    const filled = check(calls.getdents64(directory, address, recordBufferBytes), 'getdents64');
    // Strings that hold one byte a character are sorted by their bytes.
    if (filled === 0) return names.sort();
    readRecords(bytes, filled, names);
  }
}

/** Each record of `struct linux_dirent64`: inode, offset, its own length, type, and the name with a zero. */
function readRecords(bytes: Buffer, filled: number, names: ByteString[]): void {
  for (let at = 0; at < filled; at += bytes.readUInt16LE(at + lengthOffset)) {
    const nameStart = at + nameOffset;
    let nameEnd = nameStart;
    while (bytes[nameEnd] !== 0) nameEnd += 1;
    const name = bytes.toString('latin1', nameStart, nameEnd) as ByteString;
    if (name !== '.' && name !== '..') names.push(name);
  }
}
