import { toByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import { findNode } from '../snapshot/tree-reader.ts';
import type { StageRequest } from './stage-request.ts';

/** The node that is asked for. @throws HoldfastError `path-unknown` where it, or anything that is chosen in it, is not there */
export async function findChosen({
  blobs,
  treeId,
  nodePath: [top, ...rest],
  only = [],
  signal,
}: StageRequest): Promise<Node> {
  const names = [toByteString(top), ...rest.map(toByteString)] as const;
  const node = await findNode(blobs, treeId, names, { signal });
  for (const path of only) await findNode(blobs, treeId, [...names, ...path.map(toByteString)], { signal });
  return node;
}
