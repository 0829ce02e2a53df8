import { entryNames } from '../filesystem/directory-entries.ts';
import { readLinkAt } from '../filesystem/entries.ts';
import { readAttributes } from '../filesystem/extended-attributes.ts';
import { type FileStatus, statusAt } from '../filesystem/file-status.ts';
import { procPath } from '../filesystem/metadata.ts';
import { openDirectoryAt, openFileAt, openTrustedDirectory } from '../filesystem/open.ts';
import { readUpTo } from '../filesystem/read-up-to.ts';
import { type ByteString, byteStringToText, type FilePath, toByteString } from '../format/byte-string.ts';
import { type NodeType, nodeTypeOf } from '../format/go-file-mode.ts';
import { baseName, joinPath, parentPath } from '../snapshot/source-tree.ts';

export interface CompareOptions {
  /** Sockets cannot be restored: by default they count on neither side. */
  readonly withSockets?: boolean;
  /** Leave out how many hard links a symbolic link or device has: stock restic does not join their names again. */
  readonly fileLinksOnly?: boolean;
  /** Leave out the metadata of the two roots themselves. */
  readonly contentsOnly?: boolean;
}

/**
 * Every difference between two trees (or files), one line each; none if they are equal in names, types, contents,
 * modes, owners, modification times to the nanosecond, extended attributes with ACLs, link targets, device numbers, and in
 * which names are one inode. Access and change times, inode numbers and holes are not compared.
 */
export function compareTrees(left: FilePath, right: FilePath, options: CompareOptions = {}): string[] {
  const comparison = new Comparison(options);
  comparison.compareRoots(toByteString(left), toByteString(right));
  return comparison.differences;
}

interface Side {
  readonly directory: number;
  readonly name: ByteString;
  readonly status: FileStatus;
}

class Comparison {
  readonly differences: string[] = [];
  readonly #options: CompareOptions;
  /** The first path at which each inode was met, on the left and on the right. */
  readonly #firstPaths = [new Map<string, string>(), new Map<string, string>()] as const;

  constructor(options: CompareOptions) {
    this.#options = options;
  }

  compareRoots(left: ByteString, right: ByteString): void {
    using leftParent = openTrustedDirectory(parentPath(left));
    using rightParent = openTrustedDirectory(parentPath(right));
    this.#compareEntry('.' as ByteString, [
      { directory: leftParent.number, name: baseName(left) },
      { directory: rightParent.number, name: baseName(right) },
    ]);
  }

  #compareEntry(path: ByteString, places: readonly [Omit<Side, 'status'>, Omit<Side, 'status'>]): void {
    const [left, right] = places.map((place) => sideAt(place));
    if (left === undefined || right === undefined) {
      if (left !== right) this.#note(path, `only ${left === undefined ? 'right' : 'left'}`);
      return;
    }
    const type = nodeTypeOf(left.status.mode);
    const rightType = nodeTypeOf(right.status.mode);
    if (type !== rightType) {
      this.#note(path, `type ${type} and ${rightType}`);
      return;
    }
    if (path !== '.' || !this.#options.contentsOnly) this.#compareMetadata(path, left, right);
    if (type === 'dir') this.#compareDirectories(path, left, right);
    if (type === 'file') this.#compareContents(path, left, right);
    if (type === 'symlink') this.#compareValue(path, 'target', linkTarget(left), linkTarget(right));
  }

  #compareDirectories(path: ByteString, left: Side, right: Side): void {
    using leftDirectory = openDirectoryAt(left.directory, left.name);
    using rightDirectory = openDirectoryAt(right.directory, right.name);
    const names = new Set([...this.#namesIn(leftDirectory.number), ...this.#namesIn(rightDirectory.number)]);
    for (const name of [...names].sort()) {
      this.#compareEntry(joinPath(path, name), [
        { directory: leftDirectory.number, name },
        { directory: rightDirectory.number, name },
      ]);
    }
  }

  #namesIn(directory: number): ByteString[] {
    const names = entryNames(directory);
    if (this.#options.withSockets) return names;
    return names.filter((name) => nodeTypeOf(statusAt(directory, name)?.mode ?? 0) !== 'socket');
  }

  #compareMetadata(path: ByteString, left: Side, right: Side): void {
    const describe = ({ status }: Side): Record<string, string> => ({
      mode: status.mode.toString(8),
      owner: `${status.uid}:${status.gid}`,
      'modification time': `${status.modifiedAt.seconds}.${String(status.modifiedAt.nanoseconds).padStart(9, '0')}`,
      device: String(status.device),
    });
    const [leftValues, rightValues] = [describe(left), describe(right)];
    for (const [what, value] of Object.entries(leftValues)) {
      this.#compareValue(path, what, value, rightValues[what] ?? '');
    }
    this.#compareValue(path, 'attributes', attributesOf(left), attributesOf(right));
    this.#compareLinks(path, left, right);
  }

  /** Names are one inode on the left if, and only if, they are on the right. */
  #compareLinks(path: ByteString, left: Side, right: Side): void {
    const type: NodeType = nodeTypeOf(left.status.mode);
    if (type === 'dir' || (this.#options.fileLinksOnly && type !== 'file')) return;
    const [leftFirst, rightFirst] = [left, right].map(({ status }, side) => {
      const paths = this.#firstPaths[side === 0 ? 0 : 1];
      const key = `${status.deviceId}:${status.inode}`;
      const first = paths.get(key) ?? path;
      paths.set(key, first);
      return first;
    });
    this.#compareValue(path, 'is one with', leftFirst ?? '', rightFirst ?? '');
  }

  #compareContents(path: ByteString, left: Side, right: Side): void {
    if (left.status.size !== right.status.size) {
      this.#note(path, `size ${left.status.size} and ${right.status.size}`);
      return;
    }
    using leftFile = openFileAt(left.directory, left.name);
    using rightFile = openFileAt(right.directory, right.name);
    const difference = firstDifference(leftFile.number, rightFile.number, left.status.size);
    if (difference !== -1) this.#note(path, `content, from byte ${difference} on or a little later`);
  }

  #compareValue(path: ByteString, what: string, left: string, right: string): void {
    if (left !== right) this.#note(path, `${what} ${JSON.stringify(left)} and ${JSON.stringify(right)}`);
  }

  #note(path: ByteString, difference: string): void {
    this.differences.push(`${byteStringToText(path)}: ${difference}`);
  }
}

function sideAt(place: Omit<Side, 'status'>): Side | undefined {
  const status = statusAt(place.directory, place.name);
  return status === undefined ? undefined : { ...place, status };
}

function linkTarget({ directory, name }: Side): string {
  return readLinkAt(directory, name);
}

function attributesOf({ directory, name }: Side): string {
  return readAttributes(procPath(directory, name))
    .map((attribute) => `${attribute.name}=${Buffer.from(attribute.value).toString('base64')}`)
    .sort()
    .join(' ');
}

/** Where the two differ, to within a mebibyte; -1 if they do not. */
function firstDifference(left: number, right: number, size: number): number {
  const bufferBytes = Math.min(size, 1 << 20);
  const [leftBytes, rightBytes] = [Buffer.alloc(bufferBytes), Buffer.alloc(bufferBytes)];
  for (let at = 0; at < size; ) {
    const length = readUpTo(left, leftBytes, at);
    const rightLength = readUpTo(right, rightBytes, at);
    if (length === 0 || length !== rightLength) return at;
    if (leftBytes.compare(rightBytes, 0, length, 0, length) !== 0) return at;
    at += length;
  }
  return -1;
}
