import { constants } from 'node:os';
import { type ErrorCode, HoldfastError, systemErrorCode, toHoldfastError } from '@holdfast/base';
import koffi from 'koffi';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';

const nameOfErrno: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);

/**
 * A system call that failed, in the shape of Node's own: `systemErrorCode` reads both. It stays within `filesystem/`
 * and `snapshot/`, which decide what a failure means and throw `HoldfastError`s (see `targetError`, `sourceError`).
 */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  /** `ENOENT`, `EACCES`, … */
  readonly code: string;

  constructor(code: string, call: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** The result, or a throw of what `errno` says when it is -1. Nothing may come between it and the call. */
export function check(result: number, call: string): number {
  if (result === -1) throw new SystemError(lastErrorCode(), call);
  return result;
}

/** The same, but -1 comes back for the failures that the caller expects. */
export function checkExcept(result: number, call: string, ...expected: readonly string[]): number {
  if (result !== -1) return result;
  const code = lastErrorCode();
  if (expected.includes(code)) return -1;
  throw new SystemError(code, call);
}

/** The name of what `errno` says. Nothing may come between it and the call that failed. */
export function lastErrorCode(): string {
  const errno = koffi.errno();
  return nameOfErrno.get(errno) ?? `errno ${errno}`;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly says: string;
  readonly hint: string;
}

const full: Meaning = {
  code: 'target-full',
  says: 'there is no space left',
  hint: 'Make room on the file system (or raise the quota), and run the restore again.',
};
const readOnly: Meaning = {
  code: 'target-not-writable',
  says: 'the file system is read-only',
  hint: 'Mount it writable, and run the restore again.',
};
const refused: Meaning = {
  code: 'target-not-writable',
  says: 'this user may not write there',
  hint: 'Run the restore as a user who may write there (root for owners and devices).',
};

const missing: Meaning = {
  code: 'target-not-writable',
  says: 'the directory that it would be in is not there',
  hint: 'Check the path, or make the directory.',
};

const meaningForTarget: ReadonlyMap<string, Meaning> = new Map([
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['EROFS', readOnly],
  ['EACCES', refused],
  ['EPERM', refused],
  ['ENOENT', missing],
  ['ENOTDIR', missing],
]);

/** What a failure to write to `path` means to the user. A `HoldfastError` comes back as it is. */
export function targetError(error: unknown, path: ByteString): HoldfastError {
  const systemCode = systemErrorCode(error);
  if (error instanceof HoldfastError || systemCode === undefined) return toHoldfastError(error);
  const place = byteStringToText(path);
  const meaning = meaningForTarget.get(systemCode);
  const says = meaning?.says ?? `the system said ${systemCode}`;
  return new HoldfastError(meaning?.code ?? 'target-not-writable', `Could not write to ${place}: ${says}.`, {
    ...(meaning === undefined ? {} : { hint: meaning.hint }),
    context: { path: place, systemCode },
    cause: error,
  });
}

/** What a failure to read the source `path` itself means to the user. A `HoldfastError` comes back as it is. */
export function sourceError(error: unknown, path: ByteString): HoldfastError {
  const systemCode = systemErrorCode(error);
  if (error instanceof HoldfastError || systemCode === undefined) return toHoldfastError(error);
  const place = byteStringToText(path);
  const context = { path: place, systemCode };
  if (systemCode === 'ENOENT' || systemCode === 'ENOTDIR') {
    return new HoldfastError('source-missing', `There is nothing at ${place}.`, {
      hint: 'Check the path.',
      context,
      cause: error,
    });
  }
  return new HoldfastError('source-unreadable', `Could not read ${place}: the system said ${systemCode}.`, {
    hint: 'Run the backup as a user who may read it.',
    context,
    cause: error,
  });
}

/** A few words about a failure, for a warning. */
export function failureText(error: unknown): string {
  const systemCode = systemErrorCode(error);
  if (systemCode !== undefined) return systemErrorText.get(systemCode) ?? systemCode;
  return error instanceof Error ? error.message : String(error);
}

const systemErrorText: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'it is no longer there'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['EIO', 'the storage could not be read or written (EIO)'],
  ['ENOTSUP', 'the file system does not support it'],
  ['EOPNOTSUPP', 'the file system does not support it'],
  ['ELOOP', 'a symbolic link came in the way'],
  ['ENOTDIR', 'something that is no directory is in the way'],
  ['EISDIR', 'a directory is in the way'],
  ['ENOTEMPTY', 'a directory that is not empty is in the way'],
  ['EEXIST', 'something else is in the way'],
  ['EBUSY', 'something is mounted there, or it is in use'],
]);
