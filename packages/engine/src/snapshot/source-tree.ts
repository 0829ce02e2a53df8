import { posix } from 'node:path';
import { HoldfastError } from '@holdfast/base';
import { type ByteString, byteStringToText, type FilePath, toByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';

/** One file or directory to back up, and where it will be in the snapshot. */
export interface BackupSource {
  /** Absolute, or relative to the working directory. Symbolic links before its last component are followed. */
  readonly path: FilePath;
  /**
   * Names from the top of the snapshot down to the source itself. Those before the last are directories that carry
   * the metadata of the source's own parent, grandparent and so on.
   */
  readonly treePath: readonly [FilePath, ...FilePath[]];
  /** Other directories that those before the last have their metadata of, one for each. */
  readonly parentPaths?: readonly FilePath[];
}

/** A file whose content is read from a stream, such as standard input or a command's output. */
export interface StreamSource {
  /** Read once, to its end. An error that it throws ends the backup, with no snapshot to save. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** Names from the top of the snapshot down to the file. Directories above are root's, with mode 755. */
  readonly treePath: readonly [FilePath, ...FilePath[]];
  /** Also the time of the directories above. */
  readonly modifiedAt: FileTime;
}

/** The upper directories of a snapshot down to the sources. Either it is a source or a stream, or it has children. */
export interface SourceTree {
  /** Where the source, or the directory that gives a parent its metadata, is. Empty for the top, and above streams. */
  readonly path: ByteString;
  readonly isSource: boolean;
  /** Of a file that is read from a stream, or of a directory above one. */
  readonly stream?: StreamSource | undefined;
  readonly children: ReadonlyMap<ByteString, SourceTree>;
}

interface Draft {
  path: ByteString;
  isSource: boolean;
  stream?: StreamSource | undefined;
  children: Map<ByteString, Draft>;
}

/**
 * Merges the sources into one tree. A source within another is part of that one.
 * @throws HoldfastError `usage-invalid` when two different sources claim the same place
 */
export function buildSourceTree(
  sources: readonly BackupSource[],
  streams: readonly StreamSource[] = [],
): SourceTree {
  const top = newDraft('' as ByteString);
  for (const source of sources) addSource(top, source);
  for (const stream of streams) addStream(top, stream);
  return top;
}

function addStream(top: Draft, stream: StreamSource): void {
  let draft = top;
  const names = stream.treePath.map(toByteString);
  names.forEach((name, index) => {
    const present = draft.children.get(name);
    const isLast = index === names.length - 1;
    if (present !== undefined && (isLast || present.stream === undefined || present.children.size === 0)) {
      throw claimedTwice(present.path, names.join('/') as ByteString);
    }
    const child = present ?? { ...newDraft('' as ByteString), stream };
    draft.children.set(name, child);
    draft = child;
  });
}

function addSource(top: Draft, source: BackupSource): void {
  const path = toByteString(source.path);
  const treePath = source.treePath.map(toByteString);
  const last = treePath.length - 1;
  const ownPaths =
    source.parentPaths === undefined
      ? treePath.map((_, index) => ancestor(path, last - index))
      : [...source.parentPaths.slice(0, last).map(toByteString), path];
  let draft = top;
  treePath.forEach((name, index) => {
    const ownPath = ownPaths[index] ?? path;
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
