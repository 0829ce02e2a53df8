import { closeSync, constants } from 'node:fs';
import type { ByteString } from '../format/byte-string.ts';
import { atWorkingDirectory } from './file-status.ts';
import { cStringAddress } from './native-memory.ts';
import { systemCalls } from './system-calls.ts';
import { check, checkExcept } from './system-error.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOATIME, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const closeOnExec = 0o2000000;
/** A descriptor that names an inode without opening it: nothing happens to a device or a pipe. */
const pathOnly = 0o10000000;

const mayNotBeOpened = ['EPERM', 'EACCES', 'EMFILE', 'ENFILE'];

/** A file descriptor that closes at the end of its `using` block. */
export interface Descriptor extends Disposable {
  readonly number: number;
}

/**
 * Opens a directory by a path that is trusted: symbolic links in it are followed.
 * @throws SystemError ENOENT, ENOTDIR, EACCES, …
 */
export function openTrustedDirectory(path: ByteString): Descriptor {
  const flags = O_RDONLY | O_DIRECTORY | closeOnExec;
  return asDescriptor(
    check(systemCalls().openat(atWorkingDirectory, cStringAddress(path), flags, 0), 'openat'),
  );
}

/**
 * Opens an entry of an open directory that is itself a directory. One component at a time and never through a
 * symbolic link, so that nothing outside the directory can be reached. @throws SystemError ENOTDIR for a symbolic link
 */
export function openDirectoryAt(directory: number, name: ByteString): Descriptor {
  return openForReading(directory, name, O_DIRECTORY);
}

/**
 * Opens an entry for reading. Does not wait for the writer of a pipe: look at the status of what was opened.
 * @throws SystemError ELOOP for a symbolic link
 */
export function openFileAt(directory: number, name: ByteString): Descriptor {
  return openForReading(directory, name, O_NONBLOCK);
}

/** The open file under another number, to be read; undefined where that may not be, or too much is open. */
export function openAgain({ number }: Descriptor): Descriptor | undefined {
  const path = cStringAddress(`/proc/self/fd/${number}` as ByteString);
  const flags = O_RDONLY | O_NONBLOCK | O_NOATIME | closeOnExec;
  const opened = systemCalls().openat(atWorkingDirectory, path, flags, 0);
  return checkExcept(opened, 'openat', ...mayNotBeOpened) === -1 ? undefined : asDescriptor(opened);
}

/** Makes a new file, readable and writable, that only its owner may open. @throws SystemError EEXIST, ENOSPC, … */
export function createFileAt(directory: number, name: ByteString): Descriptor {
  return open(directory, name, O_RDWR | O_CREAT | O_EXCL, 0o600);
}

/** Names the entry's inode without opening it: good for status, mode and for `procPath`. */
export function openPathAt(directory: number, name: ByteString): Descriptor {
  return open(directory, name, pathOnly, 0);
}

/** Reading leaves access times alone where the kernel lets it: it does for the owner and for root. */
function openForReading(directory: number, path: ByteString, flags: number): Descriptor {
  const allFlags = O_RDONLY | O_NOFOLLOW | closeOnExec | flags;
  const address = cStringAddress(path);
  const quiet = systemCalls().openat(directory, address, allFlags | O_NOATIME, 0);
  if (checkExcept(quiet, 'openat', 'EPERM') !== -1) return asDescriptor(quiet);
  return asDescriptor(check(systemCalls().openat(directory, address, allFlags, 0), 'openat'));
}

function open(directory: number, name: ByteString, flags: number, mode: number): Descriptor {
  const allFlags = flags | O_NOFOLLOW | closeOnExec;
  return asDescriptor(check(systemCalls().openat(directory, cStringAddress(name), allFlags, mode), 'openat'));
}

function asDescriptor(number: number): Descriptor {
  let isOpen = true;
  return {
    number,
    [Symbol.dispose]() {
      if (isOpen) closeSync(number);
      isOpen = false;
    },
  };
}
