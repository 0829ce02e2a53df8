import { HoldfastError } from '@holdfast/base';
import { isWithin } from '../mounts/path-containment.ts';
import { cleanPath, isMachinesOwn } from './declared-mounts.ts';

/** Beneath a clone's folder: its own copies of what the original has outside of its folder. */
const outsideFolder = 'holdfast-outside';

export interface ClonePaths {
  /** Where a path of the project is in the clone. */
  path(path: string): string;
  /** Where a bind leads in the clone: as `path`, but for what is the machine's own. */
  bind(bind: { readonly source: string; readonly isReadOnly: boolean }): string;
}

/** Fails with `usage-invalid` where one folder is in the other: what is in both would be shared. */
export function mapPaths(from: string | null, to: string): ClonePaths {
  const folder = from === null || cleanPath(from) === '/' ? undefined : cleanPath(from);
  const newFolder = cleanPath(to);
  refuseSharedFolder(folder, newFolder);
  const path = (old: string): string => {
    const clean = cleanPath(old);
    if (folder !== undefined && isWithin(clean, folder)) return `${newFolder}${clean.slice(folder.length)}`;
    return cleanPath(`${newFolder}/${outsideFolder}${clean}`);
  };
  return {
    path,
    bind: ({ source, isReadOnly }) => {
      const isInside = folder !== undefined && isWithin(source, folder);
      return !isInside && isMachinesOwn({ source, isReadOnly }) ? source : path(source);
    },
  };
}

function refuseSharedFolder(folder: string | undefined, newFolder: string): void {
  const isUsable = newFolder.startsWith('/') && newFolder !== '/';
  const isShared = folder !== undefined && (isWithin(newFolder, folder) || isWithin(folder, newFolder));
  if (isUsable && !isShared) return;
  throw new HoldfastError('usage-invalid', `${newFolder} cannot be the folder of a clone.`, {
    hint: isUsable
      ? `It has to be apart from ${folder}, the original's.`
      : 'Give the absolute path of a folder of its own.',
    context: { folder: newFolder },
  });
}
