import { setImmediate } from 'node:timers/promises';
import { type Abortable, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { removeDirectoryAt, unlinkAt } from '../filesystem/entries.ts';
import { type FileStatus, isDirectory, statusAt } from '../filesystem/file-status.ts';
import { openDirectoryAt } from '../filesystem/open.ts';
import type { ByteString } from '../format/byte-string.ts';
import { joinPath } from './source-tree.ts';
import type { TargetPlace } from './target-place.ts';

export interface RemoveOptions extends Abortable {
  /** The file system to stay on. */
  readonly deviceId: bigint;
  /** True for what stays, with all that is below it. */
  readonly isKept: (path: ByteString) => boolean;
  /** Told of what stays because another file system is mounted there. */
  readonly onMountPoint: (path: ByteString) => void;
}

/**
 * Removes an entry with all that is below it, never through a symbolic link and never on another file system.
 * Returns how many entries were removed, and whether this one was. @throws SystemError
 */
export async function removeEntry(
  place: TargetPlace,
  options: RemoveOptions,
): Promise<{ readonly removed: number; readonly isGone: boolean }> {
  throwIfAborted(options.signal);
  const status = statusAt(place.directory, place.name);
  if (status === undefined) return { removed: 0, isGone: true };
  if (options.isKept(place.path)) return { removed: 0, isGone: false };
  if (!isDirectory(status)) {
    unlinkAt(place.directory, place.name);
    return { removed: 1, isGone: true };
  }
  if (isOtherFileSystem(status, options.deviceId)) {
    options.onMountPoint(place.path);
    return { removed: 0, isGone: false };
  }
  const { removed, isEmpty } = await removeContents(place, options);
  if (!isEmpty) return { removed, isGone: false };
  removeDirectoryAt(place.directory, place.name);
  return { removed: removed + 1, isGone: true };
}

export function isOtherFileSystem(status: FileStatus, deviceId: bigint): boolean {
  return status.isMountPoint || status.deviceId !== deviceId;
}

async function removeContents(
  place: TargetPlace,
  options: RemoveOptions,
): Promise<{ readonly removed: number; readonly isEmpty: boolean }> {
  await setImmediate();
  using directory = openDirectoryAt(place.directory, place.name);
  let removed = 0;
  let isEmpty = true;
  for (const name of entryNames(directory.number)) {
    const entry = { directory: directory.number, name, path: joinPath(place.path, name) };
    const result = await removeEntry(entry, options);
    removed += result.removed;
    isEmpty &&= result.isGone;
  }
  return { removed, isEmpty };
}
