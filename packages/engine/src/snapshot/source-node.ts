import type { AccountNames } from '../filesystem/account-names.ts';
import type { FileStatus } from '../filesystem/file-status.ts';
import { type ByteString, emptyByteString } from '../format/byte-string.ts';
import { goModeOf, nodeTypeOf } from '../format/go-file-mode.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import type { ExtendedAttribute, Node } from '../format/node.ts';
import type { NodeHead } from '../format/node-encoder.ts';

/** What of a node does not come from its status. */
export interface NodeParts {
  readonly name: ByteString;
  readonly extendedAttributes: readonly ExtendedAttribute[];
  readonly linkTarget?: ByteString;
}

export interface HeadOptions {
  readonly names: AccountNames;
  /** Keep access times. As in restic, each is else the modification time: every backup would differ from the last. */
  readonly accessTimes: boolean;
}

/**
 * The node that restic makes of an inode with this status. A file's content and a directory's subtree are added by
 * `withContent` and `withSubtree`.
 */
export function headOf(status: FileStatus, { names, accessTimes }: HeadOptions, parts: NodeParts): NodeHead {
  const type = nodeTypeOf(status.mode);
  return {
    name: parts.name,
    type,
    mode: goModeOf(status.mode),
    modifiedAt: status.modifiedAt,
    accessedAt: accessTimes ? status.accessedAt : status.modifiedAt,
    changedAt: status.changedAt,
    uid: status.uid,
    gid: status.gid,
    user: names.userName(status.uid),
    group: names.groupName(status.gid),
    inode: status.inode,
    deviceId: status.deviceId,
    size: type === 'file' ? status.size : 0,
    links: type === 'dir' || type === 'fifo' ? 0 : status.links,
    linkTarget: parts.linkTarget ?? emptyByteString,
    extendedAttributes: parts.extendedAttributes,
    genericAttributes: undefined,
    device: type === 'dev' || type === 'chardev' ? status.device : 0n,
  };
}

/** `null` for what is no file. */
export function withContent(head: NodeHead, content: readonly BlobId[] | null): Node {
  return { ...head, content, subtree: undefined, error: emptyByteString };
}

export function withSubtree(head: NodeHead, subtree: TreeId): Node {
  return { ...head, content: null, subtree, error: emptyByteString };
}
