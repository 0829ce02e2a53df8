import { posix } from 'node:path';
import type { Abortable } from '@holdfast/base';
import type { Environment, Mount } from '../discovery/environment.ts';
import type { MountDecision } from './decide-mount.ts';
import { hostPathOf } from './decide-mount.ts';
import { withRealPaths } from './describe-mounts.ts';
import { neverReason, type ProtectedPath } from './never-paths.ts';
import { isWithin } from './path-containment.ts';
import type { ResolvedPath, ResolvePaths } from './resolve-path.ts';

/** What of an environment's folder is its code, by DESIGN rule 10. */
export type ProjectFolder =
  | { readonly isReadable: false /** One clause for people. */; readonly reason: string }
  | {
      readonly isReadable: true;
      /** With every link followed. */
      readonly realPath: string;
      /** Names of files right in it that say what the project is: the Compose files, `.env`. They may be missing. */
      readonly files: readonly string[];
      readonly whole: WholeFolder;
    };

/** Whether more than those files is taken. */
export type WholeFolder =
  /** Paths within the folder, with slashes between names: what is mounted from there is in parts of its own, or in none. */
  | { readonly isTaken: true; readonly leftOut: readonly string[] }
  | { readonly isTaken: false; readonly reason: string };

export interface FindFolderOptions extends Abortable {
  /** As for `describeMounts`. */
  readonly protectedPaths: readonly ProtectedPath[];
  readonly resolvePaths: ResolvePaths;
}

type DecidedMount = Mount & Pick<MountDecision, 'included'>;

/** They hold what is of the machine, or of many projects. */
const sharedFolders = new Set(
  ['bin', 'boot', 'etc', 'home', 'lib', 'lib64', 'media', 'mnt', 'sbin', 'tmp', 'usr', 'var'].map(
    (name) => `/${name}`,
  ),
);

/** Looks at the folder of an environment, the first where several projects were joined. Opens nothing. */
export async function findProjectFolder(
  { folder: named, configFiles }: Pick<Environment, 'folder' | 'configFiles'>,
  mounts: readonly DecidedMount[],
  { protectedPaths, resolvePaths, signal }: FindFolderOptions,
): Promise<ProjectFolder> {
  if (named === null) return unreadable('no container says where it is');
  const folder = posix.normalize(named);
  const hostPaths = mounts.map(hostPathOf);
  const paths = [
    ...new Set([
      folder,
      ...protectedPaths.map(({ path }) => path),
      ...hostPaths.filter((path) => path !== null),
    ]),
  ];
  const answers = await resolvePaths(paths, { signal });
  const resolvedOf = (path: string): ResolvedPath =>
    answers[paths.indexOf(path)] ?? { resolved: false, reason: 'nobody looked' };
  const resolved = resolvedOf(folder);
  if (!resolved.resolved) return unreadable(`its path cannot be followed (${resolved.reason})`);
  if (resolved.type !== 'folder') return unreadable(`there is no folder ${folder} on the node`);
  const guarded = withRealPaths(protectedPaths, resolvedOf);
  const objection = objectionTo(folder, guarded) ?? objectionTo(resolved.path, guarded);
  if (objection !== undefined) return unreadable(objection);
  const mounted = mounts.flatMap((mount, index) => {
    const path = hostPaths[index] ?? null;
    return path === null ? [] : [{ path: realPathOf(resolvedOf(path), path), included: mount.included }];
  });
  return {
    isReadable: true,
    realPath: resolved.path,
    files: [...new Set([...configFiles.flatMap((file) => nameIn(file, [folder, resolved.path])), '.env'])],
    whole: wholeFolder(resolved.path, mounted),
  };
}

function objectionTo(path: string, protectedPaths: readonly ProtectedPath[]): string | undefined {
  if (sharedFolders.has(path)) return `${path} is more than the project's own`;
  return neverReason(path, protectedPaths);
}

/** Of what is right in a folder; whatever is deeper, somebody may have put a link before. */
function nameIn(file: string, folders: readonly string[]): string[] {
  return folders.includes(posix.dirname(file)) ? [posix.basename(file)] : [];
}

function realPathOf(resolved: ResolvedPath, path: string): string {
  return resolved.resolved ? resolved.path : posix.normalize(path);
}

function wholeFolder(
  folder: string,
  mounted: readonly { readonly path: string; readonly included: boolean }[],
): WholeFolder {
  const around = mounted.find(({ path, included }) => isWithin(folder, path) && included);
  if (around !== undefined)
    return { isTaken: false, reason: `it is in the part of the mount ${around.path}` };
  if (mounted.some(({ path }) => path === folder)) {
    return { isTaken: false, reason: 'a component mounts all of it, and that mount is left out' };
  }
  const inside = mounted.filter(({ path }) => isWithin(path, folder));
  return {
    isTaken: true,
    leftOut: [...new Set(inside.map(({ path }) => posix.relative(folder, path)))].sort(),
  };
}

function unreadable(reason: string): ProjectFolder {
  return { isReadable: false, reason };
}
