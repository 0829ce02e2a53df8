import { fsyncSync, readFileSync, writeFileSync } from 'node:fs';
import { entryNames } from '../filesystem/directory-entries.ts';
import { makeDirectoryAt, moveEntry } from '../filesystem/entries.ts';
import { statusAt, statusOf } from '../filesystem/file-status.ts';
import { procPath, setTimes } from '../filesystem/metadata.ts';
import { type Descriptor, openDirectoryAt } from '../filesystem/open.ts';
import { isTemporaryName, temporaryNameFor } from '../filesystem/temporary-name.ts';
import { type ByteString, byteStringToBytes } from '../format/byte-string.ts';
import { removeEntry } from '../snapshot/remove-entry.ts';
import type { StagingRoot } from './staging-root.ts';

/**
 * A folder on the target's own file system that holds what is to come into it, and afterwards what was in it. Its files:
 * - `target`: which entry of the root it is for; the empty name stands for the root itself
 * - `journal.part`: operations as they are found
 * - `journal`: all of them, on stable storage. From here on, what is in the target is brought forward or back by it
 * - `journal.done`: the target is what it is to be; the rest is of no use to anybody
 */
export interface StagingFolder extends Disposable {
  readonly directory: number;
  readonly name: ByteString;
  readonly root: StagingRoot;
}

const targetName = 'target' as ByteString;
const foldersAtMost = 0o700;

/** Makes one. The root keeps its times: they are part of what is kept of it. */
export function makeStagingFolder(root: StagingRoot): StagingFolder {
  const name = temporaryNameFor();
  keepingTimes(root, () => makeDirectoryAt(root.directory, name));
  const folder = folderAt(root, name, openDirectoryAt(root.directory, name));
  writeFileSync(pathIn(folder, targetName), byteStringToBytes(root.entry ?? ('' as ByteString)), {
    mode: foldersAtMost & 0o600,
    flush: true,
  });
  return folder;
}

/** All that earlier stagings of the same target have left. */
export function leftStagingFolders(root: StagingRoot): readonly StagingFolder[] {
  const folders: StagingFolder[] = [];
  for (const name of entryNames(root.directory).filter(isTemporaryName)) {
    const status = statusAt(root.directory, name);
    if (status === undefined || !isOwnDirectory(status.mode)) continue;
    const folder = folderAt(root, name, openDirectoryAt(root.directory, name));
    if (targetOf(folder) === (root.entry ?? '')) folders.push(folder);
    else folder[Symbol.dispose]();
  }
  return folders;
}

export type JournalName = 'journal.part' | 'journal' | 'journal.done';

export function hasJournal({ directory }: StagingFolder, name: JournalName): boolean {
  return statusAt(directory, name as ByteString) !== undefined;
}

/** On stable storage when it returns. */
export function renameJournal({ directory }: StagingFolder, from: JournalName, to: JournalName): void {
  moveEntry({ directory, name: from as ByteString }, { directory, name: to as ByteString });
  fsyncSync(directory);
}

/** For calls of Node's own. */
export function pathIn({ directory }: StagingFolder, name: ByteString): Buffer {
  return byteStringToBytes(procPath(directory, name));
}

/** Closes it, and removes it with all that is in it, unless the target needs that still. */
export async function removeStagingFolder(folder: StagingFolder): Promise<void> {
  const { root, name } = folder;
  const isNeeded = hasJournal(folder, 'journal');
  folder[Symbol.dispose]();
  if (isNeeded) return;
  const { deviceId } = statusOf(root.directory);
  const place = { directory: root.directory, name, path: name };
  const { accessedAt, modifiedAt } = statusOf(root.directory);
  await removeEntry(place, { deviceId, isKept: () => false, onMountPoint: () => {} });
  setTimes(root.directory, { accessedAt, modifiedAt });
}

function keepingTimes({ directory }: StagingRoot, change: () => void): void {
  const { accessedAt, modifiedAt } = statusOf(directory);
  change();
  setTimes(directory, { accessedAt, modifiedAt });
}

function folderAt(root: StagingRoot, name: ByteString, opened: Descriptor): StagingFolder {
  return { directory: opened.number, name, root, [Symbol.dispose]: () => opened[Symbol.dispose]() };
}

const typeAndOthers = 0o170077;
const directoryOfOwner = 0o040000;

function isOwnDirectory(mode: number): boolean {
  return (mode & typeAndOthers) === directoryOfOwner;
}

/** Undefined for one that was cut off before it knew. */
function targetOf(folder: StagingFolder): string | undefined {
  try {
    return readFileSync(pathIn(folder, targetName), 'latin1');
  } catch {
    return undefined;
  }
}
