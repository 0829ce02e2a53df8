import type { ByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { cString } from './c-string.ts';
import { systemCalls } from './system-calls.ts';
import { check } from './system-error.ts';

const atSymlinkNoFollow = 0x100;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Times {
  readonly accessedAt: FileTime;
  readonly modifiedAt: FileTime;
}

/** Of the entry itself, also if it is a symbolic link. Clears setuid and setgid: set the mode afterwards. */
export function setOwnerAt(directory: number, name: ByteString, { uid, gid }: Owner): void {
  check(systemCalls().fchownat(directory, cString(name), uid, gid, atSymlinkNoFollow), 'fchownat');
}

/** Of the entry itself, also if it is a symbolic link; to the nanosecond, also before 1970. */
export function setTimesAt(directory: number, name: ByteString, times: Times): void {
  const result = systemCalls().utimensat(directory, cString(name), timespecs(times), atSymlinkNoFollow);
  check(result, 'utimensat');
}

/** Of an open file or directory. */
export function setTimes(descriptor: number, times: Times): void {
  check(systemCalls().futimens(descriptor, timespecs(times)), 'futimens');
}

/**
 * Permission, setuid, setgid and sticky bits of an inode that was opened with `openPathAt`, without opening a device
 * or a pipe. Not for symbolic links: they have no mode.
 */
export function setModeOfPath(pathDescriptor: number, mode: number): void {
  check(systemCalls().chmod(cString(procPath(pathDescriptor)), mode), 'chmod');
}

/** A path by which calls that take no descriptor reach an open inode, or an entry of an open directory. */
export function procPath(descriptor: number, name?: ByteString): ByteString {
  const path = `/proc/self/fd/${descriptor}`;
  return (name === undefined ? path : `${path}/${name}`) as ByteString;
}

function timespecs({ accessedAt, modifiedAt }: Times): Buffer {
  const timespecs = Buffer.allocUnsafe(32);
  timespecs.writeBigInt64LE(BigInt(accessedAt.seconds), 0);
  timespecs.writeBigInt64LE(BigInt(accessedAt.nanoseconds), 8);
  timespecs.writeBigInt64LE(BigInt(modifiedAt.seconds), 16);
  timespecs.writeBigInt64LE(BigInt(modifiedAt.nanoseconds), 24);
  return timespecs;
}
