import { type Abortable, HoldfastError } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import { byteStringToText } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { decodeNodes } from '../format/tree-codec.ts';
import type { BlobReader } from '../repository/blob-store.ts';

/** The nodes of a tree, one by one. @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged` */
export async function readNodes(
  blobs: BlobReader,
  treeId: TreeId,
  options: Abortable = {},
): Promise<Generator<Node, void>> {
  return decodeNodes(await blobs.readBlob('tree', treeId, options));
}

/** The node at a path within a tree. @throws HoldfastError `path-unknown` when there is none */
export async function findNode(
  blobs: BlobReader,
  treeId: TreeId,
  path: readonly [ByteString, ...ByteString[]],
  options: Abortable = {},
): Promise<Node> {
  let found: Node | undefined;
  let next: TreeId | undefined = treeId;
  for (const name of path) {
    if (next === undefined) throw pathUnknown(path);
    const nodes: Generator<Node, void> = await readNodes(blobs, next, options);
    found = nodes.find((node) => node.name === name);
    next = found?.subtree;
  }
  if (found === undefined) throw pathUnknown(path);
  return found;
}

function pathUnknown(path: readonly ByteString[]): HoldfastError {
  const text = byteStringToText(path.join('/') as ByteString);
  return new HoldfastError('path-unknown', `The snapshot has nothing at ${text}.`, {
    hint: 'List the snapshot to see what it has.',
    context: { path: text },
  });
}
