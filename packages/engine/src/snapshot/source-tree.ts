import { posix } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { type ByteString, byteStringToText, type FilePath, toByteString } from '../format/byte-string.ts';

/** One file or directory to back up, and where it will be in the snapshot. */
export interface BackupSource {
  /** Absolute, or relative to the working directory. Symbolic links before its last component are followed. */
  readonly path: FilePath;
  /**
   * Names from the top of the snapshot down to the source itself. Those before the last are directories that carry
   * the metadata of the source's own parent, grandparent and so on.
   */
  readonly treePath: readonly [FilePath, ...FilePath[]];
}

/** The upper directories of a snapshot down to the sources. Either it is a source, or it has children. */
export interface SourceTree {
  /** Where the source, or the directory that gives a parent its metadata, is. Empty for the top. */
  readonly path: ByteString;
  readonly isSource: boolean;
  readonly children: ReadonlyMap<ByteString, SourceTree>;
}

interface Draft {
  path: ByteString;
  isSource: boolean;
  children: Map<ByteString, Draft>;
}

/**
 * Merges the sources into one tree. A source within another is part of that one.
 * @throws HoldfastError `usage-invalid` when two different sources claim the same place
 */
export function buildSourceTree(sources: readonly BackupSource[]): SourceTree {
  const top = newDraft('' as ByteString);
  for (const source of sources) addSource(top, toByteString(source.path), source.treePath.map(toByteString));
  return top;
}

function addSource(top: Draft, path: ByteString, treePath: readonly ByteString[]): void {
  let draft = top;
  treePath.forEach((name, index) => {
    const ownPath = ancestor(path, treePath.length - 1 - index);
    const child = draft.children.get(name) ?? newDraft(ownPath);
    if (child.path !== ownPath) throw claimedTwice(ownPath, child.path);
    draft.children.set(name, child);
    draft = child;
  });
  draft.isSource = true;
}

function newDraft(path: ByteString): Draft {
  return { path, isSource: false, children: new Map() };
}

/** The path `levels` directories above. */
export function ancestor(path: ByteString, levels: number): ByteString {
  let above = path;
  for (let level = 0; level < levels; level += 1) above = parentPath(above);
  return above;
}

/** The directory that an entry is in: `/` for `/a`, `.` for `a`. */
export function parentPath(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  if (slash === -1) return '.' as ByteString;
  return (slash === 0 ? '/' : path.slice(0, slash)) as ByteString;
}

export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString;
}

export function absolutePath(path: ByteString): ByteString {
  return posix.resolve(toByteString(process.cwd()), path) as ByteString;
}

export function joinPath(directory: ByteString, name: ByteString): ByteString {
  return (directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`) as ByteString;
}

function claimedTwice(first: ByteString, second: ByteString): HoldfastError {
  const paths = [byteStringToText(first), byteStringToText(second)];
  return new HoldfastError(
    'usage-invalid',
    `${paths[0]} and ${paths[1]} would be at the same place in the snapshot.`,
    {
      hint: 'Back them up one at a time.',
      context: { paths },
    },
  );
}
