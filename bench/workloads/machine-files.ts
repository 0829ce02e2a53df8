import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface MachineFile {
  readonly path: string;
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedAt: Date;
}

/**
 * The regular files of what is installed on this machine, tree after tree, each tree in the order of its paths; a file
 * with several names once. The same machine gives the same files as long as nothing is installed.
 */
export function* machineFiles(roots: readonly string[]): IterableIterator<MachineFile> {
  const seen = new Set<string>();
  for (const root of roots) yield* filesIn(root, seen);
}

function* filesIn(folder: string, seen: Set<string>): IterableIterator<MachineFile> {
  for (const name of sortedNames(folder)) {
    const path = join(folder, name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isDirectory()) yield* filesIn(path, seen);
    if (!status?.isFile()) continue;
    const inode = `${status.dev}:${status.ino}`;
    if (seen.has(inode)) continue;
    seen.add(inode);
    yield { path, bytes: status.size, mode: status.mode & 0o7777, modifiedAt: status.mtime };
  }
}

function sortedNames(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Not there, or not for this user.
    return [];
  }
}
