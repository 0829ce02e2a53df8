import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { readNodes } from './tree-reader.ts';

export interface WalkRequest extends Abortable {
  readonly blobs: BlobReader;
  readonly treeId: TreeId;
}

export interface WalkEntry {
  /** From the top of the tree, with `/` between names and before the first: `/data/a`. Bytes: `byteStringToText` shows it. */
  readonly path: ByteString;
  readonly node: Node;
}

/**
 * Every entry of a tree, each directory before what is in it, in the order of names. Holds one tree a level.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`
 */
export async function* walkTree(request: WalkRequest): AsyncGenerator<WalkEntry, void> {
  const { blobs, treeId, signal } = request;
  const open = [{ path: '' as ByteString, nodes: await readNodes(blobs, treeId, { signal }) }];
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    throwIfAborted(signal);
    const node = level.nodes.next().value;
    if (!node) {
      open.pop();
      continue;
    }
    const path = `${level.path}/${node.name}` as ByteString;
    yield { path, node };
    if (node.subtree !== undefined) {
      open.push({ path, nodes: await readNodes(blobs, node.subtree, { signal }) });
    }
  }
}
