import { type HoldfastError, isHoldfastError, throwIfAborted } from '@holdfast/base';
import type { BlobType } from '../format/blob-type.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { decodeNodes } from '../format/tree-codec.ts';
import { IdTable } from '../index/id-table.ts';
import type { Snapshot } from '../repository/snapshot-store.ts';
import type { CheckScope } from './check-scope.ts';
import type { LostBlob } from './lost-blobs.ts';

/** Reads every tree that a snapshot leads to, once, and notes the trees and blobs that are not there or not sound. */
export async function checkTrees(scope: CheckScope, snapshots: readonly Snapshot[]): Promise<void> {
  const seen = new IdTable();
  const stack: TreeId[] = [];
  const push = (id: TreeId): void => {
    const sizeBefore = seen.size;
    if (seen.add(id) === sizeBefore) stack.push(id);
  };
  for (const { tree } of snapshots) {
    push(tree);
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      for (const node of await readTree(scope, id)) {
        for (const blobId of node.content ?? []) noteIfMissing(scope, 'data', blobId);
        if (node.subtree !== undefined) push(node.subtree);
      }
      scope.onProgress?.({ step: 'trees', done: seen.size - stack.length, total: undefined });
    }
  }
}

/** The nodes of a tree; those that could be read of one that is lost, which is noted. */
export async function readTree({ blobs, lost, signal }: CheckScope, id: TreeId): Promise<Node[]> {
  throwIfAborted(signal);
  const nodes: Node[] = [];
  try {
    for (const node of decodeNodes(await blobs.readBlob('tree', id, { signal }))) nodes.push(node);
  } catch (error) {
    if (!isHoldfastError(error, 'blob-missing', 'blob-damaged', 'repository-damaged')) throw error;
    lost.add({ kind: lossOf(error), type: 'tree', id, reason: error.message });
  }
  return nodes;
}

function lossOf({ code }: HoldfastError): LostBlob['kind'] {
  return code === 'blob-missing' || code === 'blob-damaged' ? code : 'tree-damaged';
}

function noteIfMissing({ blobs, lost }: CheckScope, type: BlobType, id: BlobId): void {
  if (!blobs.hasBlob(type, id)) lost.add({ kind: 'blob-missing', type, id, reason: 'no index names it' });
}
