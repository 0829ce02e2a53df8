import type { ByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { goModeOf, unixMode } from '../format/go-file-mode.ts';
import type { BlobId } from '../format/ids.ts';
import type { ExtendedAttribute, Node } from '../format/node.ts';

/** What is taken over from archives: neither devices nor pipes, which a stranger has no business making. */
export type EntryKind = 'file' | 'dir' | 'symlink';

/** What an archive says of an entry, whatever the archive's format. */
export interface EntryHead {
  /** As it stands in the archive: nothing is checked yet. */
  readonly path: ByteString;
  /** `link`: another name of an earlier file or symbolic link. */
  readonly kind: EntryKind | 'link';
  /** As chmod takes them. */
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
  /** Empty if not known. */
  readonly user: ByteString;
  readonly group: ByteString;
  readonly modifiedAt: FileTime;
  /** Of a `symlink` its target, of a `link` the path of the earlier name. */
  readonly linkTarget: ByteString;
  readonly extendedAttributes: readonly ExtendedAttribute[];
  /** Of a file. */
  readonly sizeBytes: number;
}

export interface ArchiveEntry extends EntryHead {
  /** Of a file: to be read to its end or not at all, before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

const typeBits: Readonly<Record<EntryKind, number>> = {
  file: unixMode.regular,
  dir: unixMode.directory,
  symlink: unixMode.symlink,
};

/** How an entry is as a node, but for its name, its tree and how many names it has. `content`: null for what is no file. */
export function nodeOfEntry(head: EntryHead, kind: EntryKind, content: readonly BlobId[] | null): Node {
  const { modifiedAt, uid, gid, user, group, extendedAttributes } = head;
  return {
    name: head.path,
    type: kind,
    mode: goModeOf(typeBits[kind] | head.permissions),
    ...{ modifiedAt, accessedAt: modifiedAt, changedAt: modifiedAt, uid, gid, user, group },
    ...{ inode: 0n, deviceId: 0n, device: 0n },
    size: kind === 'file' ? head.sizeBytes : 0,
    links: kind === 'dir' ? 0 : 1,
    linkTarget: kind === 'symlink' ? head.linkTarget : ('' as ByteString),
    extendedAttributes,
    genericAttributes: undefined,
    content,
    subtree: undefined,
    error: '' as ByteString,
  };
}

/** A directory that an archive has no entry of: root's, with mode 755. */
export function madeDirectory(modifiedAt: FileTime): Node {
  const nothing = '' as ByteString;
  const head: EntryHead = {
    ...{ path: nothing, kind: 'dir', permissions: 0o755, uid: 0, gid: 0, user: nothing, group: nothing },
    ...{ modifiedAt, linkTarget: nothing, extendedAttributes: [], sizeBytes: 0 },
  };
  return nodeOfEntry(head, 'dir', null);
}
