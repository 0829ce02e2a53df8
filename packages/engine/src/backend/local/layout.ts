import { join } from 'node:path';
import type { FileName, ListedFileKind } from '../backend.ts';

/** The folders of restic's default layout. */
export const folders: Readonly<Record<ListedFileKind, string>> = {
  key: 'keys',
  lock: 'locks',
  snapshot: 'snapshots',
  index: 'index',
  data: 'data',
};

export function directoryOf(root: string, file: FileName): string {
  if (file.kind === 'config') return root;
  const folder = join(root, folders[file.kind]);
  return file.kind === 'data' ? join(folder, file.id.slice(0, 2)) : folder;
}

export function nameOf(file: FileName): string {
  return file.kind === 'config' ? 'config' : file.id;
}

export function pathOf(root: string, file: FileName): string {
  return join(directoryOf(root, file), nameOf(file));
}

export function kindFolders(root: string): string[] {
  return Object.values(folders).map((folder) => join(root, folder));
}

/** The 256 folders that packs are spread over. */
export function packFolders(root: string): string[] {
  return Array.from({ length: 256 }, (_, byte) =>
    join(root, folders.data, byte.toString(16).padStart(2, '0')),
  );
}

/** All folders of a repository, the outer ones first. */
export function allFolders(root: string): string[] {
  return [root, ...kindFolders(root), ...packFolders(root)];
}
