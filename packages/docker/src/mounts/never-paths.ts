import { isWithin } from './path-containment.ts';

/** A place that no backup reads and no restore writes, and in which words it is refused. */
export interface ProtectedPath {
  /** Absolute; as it stands and with every link followed, each as an entry of its own where they differ. */
  readonly path: string;
  /** `Docker's own data` */
  readonly what: string;
}

const systemFolders = ['/proc', '/sys', '/dev', '/run'];
const hostFiles = ['/etc/localtime', '/etc/timezone'];

/**
 * Why a path is never backed up or restored, whatever labels say; `undefined` when it may be. A path is also refused
 * when a protected path lies beneath it, as it would be read or written with it. Give this both the path as it stands
 * and as it resolves.
 */
export function neverReason(path: string, protectedPaths: readonly ProtectedPath[]): string | undefined {
  if (path === '/') return 'it is the root of the machine';
  const systemFolder = systemFolders.find((folder) => isWithin(path, folder));
  if (systemFolder !== undefined) return `it is within ${systemFolder}`;
  if (hostFiles.includes(path)) return 'it belongs to the machine, not to the app';
  for (const { path: guarded, what } of protectedPaths) {
    if (isWithin(path, guarded)) return `it is within ${what}`;
    if (isWithin(guarded, path)) return `it contains ${what}`;
  }
  return undefined;
}
