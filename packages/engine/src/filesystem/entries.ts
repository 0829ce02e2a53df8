import { constants } from 'node:fs';
import { type ByteString, bytesToByteString } from '../format/byte-string.ts';
import { cString } from './c-string.ts';
import { systemCalls } from './system-calls.ts';
import { check, checkExcept } from './system-error.ts';

const removeDirectoryFlag = 0x200;
const exchangeFlag = 2;
const longestPathBytes = 4096;

/** Makes a directory that only its owner may enter. False if the name is taken. */
export function makeDirectoryAt(directory: number, name: ByteString): boolean {
  return checkExcept(systemCalls().mkdirat(directory, cString(name), 0o700), 'mkdirat', 'EEXIST') !== -1;
}

/** @throws SystemError EEXIST, … */
export function makeSymlinkAt(directory: number, name: ByteString, target: ByteString): void {
  check(systemCalls().symlinkat(cString(target), directory, cString(name)), 'symlinkat');
}

export interface SpecialFile {
  readonly type: 'fifo' | 'dev' | 'chardev';
  /** `st_rdev` of a device */
  readonly device: bigint;
}

const specialFileMode = { fifo: constants.S_IFIFO, dev: constants.S_IFBLK, chardev: constants.S_IFCHR };

/** Makes a pipe or a device that only its owner may use. @throws SystemError EEXIST, EPERM, … */
export function makeSpecialFileAt(directory: number, name: ByteString, { type, device }: SpecialFile): void {
  const kernelDevice = Number(BigInt.asUintN(32, device));
  const mode = specialFileMode[type] | 0o600;
  check(systemCalls().mknodat(directory, cString(name), mode, kernelDevice), 'mknodat');
}

export interface Entry {
  readonly directory: number;
  readonly name: ByteString;
}

/** Gives an inode a second name; a symbolic link is linked itself. @throws SystemError EEXIST, EXDEV, EMLINK, … */
export function link(from: Entry, to: Entry): void {
  const result = systemCalls().linkat(from.directory, cString(from.name), to.directory, cString(to.name), 0);
  check(result, 'linkat');
}

/** Replaces what has the new name, at once, unless that is a directory. */
export function renameAt(directory: number, from: ByteString, to: ByteString): void {
  check(systemCalls().renameat(directory, cString(from), directory, cString(to)), 'renameat');
}

/** Gives an entry a name that is free, in the same or another directory of its file system. */
export function moveEntry(from: Entry, to: Entry): void {
  const result = systemCalls().renameat(from.directory, cString(from.name), to.directory, cString(to.name));
  check(result, 'renameat');
}

/** Each gets the other's name, at once. False where the file system has no such call. @throws SystemError EBUSY, … */
export function exchangeEntries(one: Entry, other: Entry): boolean {
  const names = [one.directory, cString(one.name), other.directory, cString(other.name)] as const;
  const result = systemCalls().renameat2(...names, exchangeFlag);
  return checkExcept(result, 'renameat2', 'EINVAL', 'ENOSYS', 'EOPNOTSUPP') !== -1;
}

/** Removes anything but a directory. False if there is no such entry. @throws SystemError EISDIR, … */
export function unlinkAt(directory: number, name: ByteString): boolean {
  return checkExcept(systemCalls().unlinkat(directory, cString(name), 0), 'unlinkat', 'ENOENT') !== -1;
}

/** Removes an empty directory. @throws SystemError ENOTEMPTY, EBUSY for a mount point, … */
export function removeDirectoryAt(directory: number, name: ByteString): void {
  check(systemCalls().unlinkat(directory, cString(name), removeDirectoryFlag), 'unlinkat');
}

export function readLinkAt(directory: number, name: ByteString): ByteString {
  const target = Buffer.allocUnsafe(longestPathBytes);
  const length = check(
    systemCalls().readlinkat(directory, cString(name), target, target.length),
    'readlinkat',
  );
  return bytesToByteString(target.subarray(0, length));
}
