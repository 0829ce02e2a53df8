import type { ByteString } from './byte-string.ts';
import type { FileTime } from './file-time.ts';
import type { NodeType } from './go-file-mode.ts';
import type { BlobId, TreeId } from './ids.ts';

export interface ExtendedAttribute {
  readonly name: ByteString;
  readonly value: Uint8Array;
}

/**
 * One entry of a directory as a tree holds it: restic's node. What a type does not have is zero, empty or null,
 * as restic leaves it.
 */
export interface Node {
  /** Never checked by the codec: it may be `..` or hold a `/`. Whoever turns it into a path checks it. */
  readonly name: ByteString;
  readonly type: NodeType;
  /** Bits of Go's `os.FileMode`, see go-file-mode.ts. */
  readonly mode: number;
  readonly modifiedAt: FileTime;
  readonly accessedAt: FileTime;
  readonly changedAt: FileTime;
  readonly uid: number;
  readonly gid: number;
  /** Names of the owner and the group where the backup was made; empty when not known. */
  readonly user: ByteString;
  readonly group: ByteString;
  readonly inode: bigint;
  /** `st_dev` of the file system it was on: with `inode` it tells which names are one file. */
  readonly deviceId: bigint;
  /** Of a file, in bytes. */
  readonly size: number;
  /** Number of hard links of a file, symlink or device. */
  readonly links: number;
  readonly linkTarget: ByteString;
  readonly extendedAttributes: readonly ExtendedAttribute[];
  /** What other systems keep (Windows), as the JSON text it came in; undefined when there is none. */
  readonly genericAttributes: ByteString | undefined;
  /** `st_rdev` of a device. */
  readonly device: bigint;
  /** Chunks of a file in order; null for all other types. */
  readonly content: readonly BlobId[] | null;
  /** Of a directory. */
  readonly subtree: TreeId | undefined;
  readonly error: ByteString;
}

/** Sorted by the bytes of their names, no name twice. */
export interface Tree {
  readonly nodes: readonly Node[];
}
