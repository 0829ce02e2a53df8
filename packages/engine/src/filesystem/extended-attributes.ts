import type { ByteString } from '../format/byte-string.ts';
import type { ExtendedAttribute } from '../format/node.ts';
import { cString } from './c-string.ts';
import { procPath } from './metadata.ts';
import { cStringAddress, NativeMemory } from './native-memory.ts';
import { type SystemCalls, systemCalls } from './system-calls.ts';
import { check, checkExcept, lastErrorCode } from './system-error.ts';

/**
 * Where attributes are read and set: an open file or directory, or a path, whose last component may be a symbolic
 * link and is then meant itself. For an entry of an open directory take `procPath`.
 */
export type AttributeHolder = number | ByteString;

/** Not every file system has them; these say so (a CIFS mount says ENODATA). */
const unsupported = ['EOPNOTSUPP', 'ENOTSUP', 'ENODATA'] as const;
const firstGuessBytes = 1024;

/**
 * In the order in which the kernel lists them, which is the order that restic stores. ACLs and capabilities are among
 * them. One that vanished meanwhile is left out; a file system without attributes has none.
 * @throws SystemError EACCES, EPERM, …
 */
export function readAttributes(holder: AttributeHolder): ExtendedAttribute[] {
  const calls = attributeCalls(holder);
  const attributes: ExtendedAttribute[] = [];
  for (const name of listNames(calls)) {
    const cName = cString(name);
    const value = readGrowing((into, size) => calls.get(cName, into, size));
    if (value !== undefined) attributes.push({ name, value: Buffer.from(value) });
  }
  return attributes;
}

/** The same of an entry of an open directory, itself also if it is a symbolic link. Most have none: that is fast. */
export function readAttributesAt(directory: number, name: ByteString): ExtendedAttribute[] {
  return hasNoAttributes(directory, name) ? [] : readAttributes(procPath(directory, name));
}

export function attributeNames(holder: AttributeHolder): ByteString[] {
  return listNames(attributeCalls(holder));
}

export function setAttribute(holder: AttributeHolder, { name, value }: ExtendedAttribute): void {
  check(attributeCalls(holder).set(cString(name), value), 'setxattr');
}

/** It is no failure if it is not there. */
export function removeAttribute(holder: AttributeHolder, name: ByteString): void {
  checkExcept(attributeCalls(holder).remove(cString(name)), 'removexattr', 'ENODATA');
}

const atSymlinkNoFollow = 0x100;
let canListAt = true;
let listed: NativeMemory | undefined;

/** False also when it could not be found out. */
function hasNoAttributes(directory: number, name: ByteString): boolean {
  if (!canListAt) return false;
  listed ??= new NativeMemory(firstGuessBytes);
  const { address } = listed;
  const path = cStringAddress(name);
  const length = systemCalls().listxattrat(directory, path, atSymlinkNoFollow, address, firstGuessBytes);
  // A kernel that does not know the call, or a sandbox that does not allow it.
  if (length === -1 && ['ENOSYS', 'EPERM'].includes(lastErrorCode())) canListAt = false;
  return length === 0;
}

interface AttributeCalls {
  list(into: Buffer | null, size: number): number;
  get(name: Buffer, into: Buffer | null, size: number): number;
  set(name: Buffer, value: Uint8Array): number;
  remove(name: Buffer): number;
}

function attributeCalls(holder: AttributeHolder): AttributeCalls {
  const calls: SystemCalls = systemCalls();
  if (typeof holder === 'number') {
    return {
      list: (into, size) => calls.flistxattr(holder, into, size),
      get: (name, into, size) => calls.fgetxattr(holder, name, into, size),
      set: (name, value) => calls.fsetxattr(holder, name, value, value.length, 0),
      remove: (name) => calls.fremovexattr(holder, name),
    };
  }
  const path = cString(holder);
  return {
    list: (into, size) => calls.llistxattr(path, into, size),
    get: (name, into, size) => calls.lgetxattr(path, name, into, size),
    set: (name, value) => calls.lsetxattr(path, name, value, value.length, 0),
    remove: (name) => calls.lremovexattr(path, name),
  };
}

function listNames(calls: AttributeCalls): ByteString[] {
  const names = readGrowing((into, size) => calls.list(into, size));
  if (names === undefined || names.length === 0) return [];
  return names.toString('latin1', 0, names.length - 1).split('\0') as ByteString[];
}

const guess = Buffer.allocUnsafe(firstGuessBytes);

/** undefined where attributes are not supported. The result is good until the next call. */
function readGrowing(read: (into: Buffer | null, size: number) => number): Buffer | undefined {
  const length = checkExcept(read(guess, guess.length), 'getxattr', 'ERANGE', ...unsupported);
  if (length !== -1) return guess.subarray(0, length);
  for (;;) {
    const needed = checkExcept(read(null, 0), 'getxattr', ...unsupported);
    if (needed === -1) return undefined;
    const into = Buffer.allocUnsafe(needed);
    const filled = checkExcept(read(into, needed), 'getxattr', 'ERANGE', ...unsupported);
    if (filled !== -1) return into.subarray(0, filled);
  }
}
