import { posix } from 'node:path';
import { systemErrorCode } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { openTrustedDirectory } from '../filesystem/open.ts';
import { sourceError } from '../filesystem/system-error.ts';
import { type ByteString, byteStringToBytes, type FilePath, toByteString } from '../format/byte-string.ts';
import { type BackupSource, joinPath } from './source-tree.ts';

/**
 * Sources from the paths of a command line, placed as stock restic places them: an absolute path with all its parents,
 * a relative one with the names that are in it. `.`, `..` and `/` stand for all of their entries. Where two
 * paths from different places begin with the same name, the second gets a number (`srv-1`).
 * @throws HoldfastError `source-missing` or `source-unreadable` for a `.`, `..` or `/` that cannot be listed
 */
export function sourcesFromArguments(paths: readonly FilePath[]): BackupSource[] {
  const rootOfTop = new Map<string, string>();
  const targets = new Set(paths.map((path) => clean(toByteString(path))).flatMap(expand));
  return [...targets].map((target) => {
    const [top = '', ...rest] = components(target);
    const names = [uniqueTop(top, rootOf(target), rootOfTop), ...rest];
    const [first = '', ...others] = names.map((name) => byteStringToBytes(name as ByteString));
    return { path: byteStringToBytes(target), treePath: [first, ...others] };
  });
}

/** `posix.normalize` works character by character, and so for bytes too. */
function clean(path: ByteString): ByteString {
  const normal = posix.normalize(path);
  return (normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal) as ByteString;
}

/** Names without leading `..`. */
function components(path: ByteString): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.' && name !== '..');
}

function expand(path: ByteString): ByteString[] {
  if (components(path).length > 0) return [path];
  try {
    using directory = openTrustedDirectory(path);
    return entryNames(directory.number).map((name) => clean(joinPath(path, name)));
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw sourceError(error, path);
  }
}

/** Where the first name of a path is: `/`, `.` or `../..`. */
function rootOf(path: ByteString): string {
  if (path.startsWith('/')) return '/';
  return (
    path
      .split('/')
      .filter((name) => name === '..')
      .join('/') || '.'
  );
}

function uniqueTop(name: string, root: string, rootOfTop: Map<string, string>): string {
  let candidate = name;
  for (let number = 1; (rootOfTop.get(candidate) ?? root) !== root; number += 1)
    candidate = `${name}-${number}`;
  rootOfTop.set(candidate, root);
  return candidate;
}
