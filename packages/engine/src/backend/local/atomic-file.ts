import { randomUUID } from 'node:crypto';
import { type FileHandle, link, lstat, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError, systemErrorCode, throwIfAborted } from '@holdfast/base';
import type { Pace } from '../backend.ts';

/** What file systems without hard links, modes or fsync (FAT, CIFS, some of FUSE) answer to those calls. */
const unsupportedCodes: readonly (string | undefined)[] = [
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
];

/** What a save that was cut off leaves behind is called like this; no file of a repository is. */
export const leftoverPattern = /^(?:config|[0-9a-f]{64})-tmp-/;

export interface AtomicFileOptions {
  readonly fileMode: number;
  /** With it the directory is made if only that is missing. */
  readonly folderMode: number | undefined;
  /** Rejects with `repository-exists` instead of replacing. */
  readonly isExclusive: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly pace?: Pace | undefined;
}

/**
 * Temporary file, fsync, rename, fsync of the directory: after a crash at any moment the file is there whole or not
 * at all, and when this resolves it is on stable storage.
 */
export async function writeFileAtomically(
  directory: string,
  name: string,
  parts: readonly Uint8Array[],
  options: AtomicFileOptions,
): Promise<void> {
  const temporary = join(directory, `${name}-tmp-${randomUUID()}`);
  try {
    await writeTemporary(temporary, parts, options);
    throwIfAborted(options.signal);
    await moveInto(temporary, join(directory, name), options.isExclusive);
  } catch (error) {
    await unlinkIfThere(temporary);
    throw error;
  }
  await syncDirectory(directory);
}

/** False if there was none. */
export async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await unlessUnsupported(handle.sync());
}

async function writeTemporary(
  path: string,
  parts: readonly Uint8Array[],
  options: AtomicFileOptions,
): Promise<void> {
  await using handle = await createFile(path, options.folderMode);
  for (const part of parts) {
    throwIfAborted(options.signal);
    await options.pace?.(part.length, options);
    await writeAll(handle, part);
  }
  await unlessUnsupported(handle.chmod(options.fileMode));
  await unlessUnsupported(handle.sync());
}

async function createFile(path: string, folderMode: number | undefined): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || folderMode === undefined) throw error;
    await makeFolder(dirname(path), folderMode);
    return await open(path, 'wx', 0o600);
  }
}

async function makeFolder(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, { mode });
    await syncDirectory(dirname(folder));
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}

async function moveInto(temporary: string, path: string, isExclusive: boolean): Promise<void> {
  if (isExclusive) {
    try {
      await link(temporary, path);
      await unlinkIfThere(temporary);
      return;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'EEXIST') throw existing();
      if (!unsupportedCodes.includes(code)) throw error;
    }
    if (await isThere(path)) throw existing();
  }
  await rename(temporary, path);
}

function existing(): HoldfastError {
  return new HoldfastError('repository-exists', 'There is a repository already.', {
    hint: 'Open it, or choose another place for the new one.',
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function unlessUnsupported(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!unsupportedCodes.includes(systemErrorCode(error))) throw error;
  }
}
