import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Abortable, systemErrorCode, throwIfAborted } from '@holdfast/base';

export type PathType = 'folder' | 'file' | 'socket' | 'device' | 'pipe' | 'nothing';

/** Where a path really leads, and what is there. */
export type ResolvedPath =
  | { readonly resolved: true; readonly path: string; readonly type: PathType }
  /** A loop of links, or a folder that may not be looked into. */
  | { readonly resolved: false; readonly reason: string };

/** Answers for each path of the engine's machine, in their order, where it really leads. */
export type ResolvePaths = (paths: readonly string[], options: Abortable) => Promise<readonly ResolvedPath[]>;

/** For an engine that runs on this machine. */
export const resolveHere: ResolvePaths = async (paths, { signal }) => {
  const resolved: ResolvedPath[] = [];
  for (const path of paths) {
    throwIfAborted(signal);
    resolved.push(await resolvePath(path));
  }
  return resolved;
};

/**
 * Follows every link of an absolute path. Where the end of the path does not exist, what does exist of it is followed
 * and the type is `nothing`. What was true may no longer be a moment later: whoever opens the path has to hold to it.
 */
export async function resolvePath(path: string): Promise<ResolvedPath> {
  const missing: string[] = [];
  for (let existing = path; ; existing = dirname(existing)) {
    try {
      const real = await realpath(existing);
      if (missing.length > 0) return { resolved: true, path: join(real, ...missing), type: 'nothing' };
      return { resolved: true, path: real, type: await typeOf(real) };
    } catch (error) {
      const code = systemErrorCode(error);
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
      if (!isMissing || existing === dirname(existing)) return { resolved: false, reason: code ?? 'unknown' };
      if (code === 'ENOENT' && (await isLink(existing))) return { resolved: false, reason: 'a broken link' };
      missing.unshift(basename(existing));
    }
  }
}

export async function typeOf(path: string): Promise<PathType> {
  const stat = await lstat(path);
  if (stat.isDirectory()) return 'folder';
  if (stat.isFile()) return 'file';
  if (stat.isSocket()) return 'socket';
  return stat.isFIFO() ? 'pipe' : 'device';
}

/** A link to nothing must not pass for nothing: what it leads to may come later. */
async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}
