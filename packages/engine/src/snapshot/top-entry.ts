import type { Abortable } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { goMode } from '../format/go-file-mode.ts';
import { asId } from '../format/id-codec.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { encodeTree } from '../format/tree-codec.ts';
import type { BlobWriter } from '../repository/blob-store.ts';

/** Saves a tree whose only entry is this node, under another name. What the node holds is referred to, not copied. */
export async function saveTopEntry(
  node: Node,
  name: ByteString,
  writer: BlobWriter,
  { signal }: Abortable = {},
): Promise<TreeId> {
  const plaintext = encodeTree({ nodes: [{ ...node, name }] }, 'utc');
  const { id } = await writer.saveBlob('tree', plaintext, { signal });
  return asId<TreeId>(id);
}

const nothing = '' as ByteString;

/** A directory of root's for what has none: the top of a snapshot is a tree without a node. */
export function directoryOf(subtree: TreeId, at: FileTime): Node {
  return {
    ...{ name: nothing, type: 'dir', mode: goMode.directory + 0o755 },
    ...{ modifiedAt: at, accessedAt: at, changedAt: at },
    ...{ uid: 0, gid: 0, user: nothing, group: nothing, inode: 0n, deviceId: 0n },
    ...{ size: 0, links: 0, linkTarget: nothing, extendedAttributes: [], genericAttributes: undefined },
    ...{ device: 0n, content: null, subtree, error: nothing },
  };
}
