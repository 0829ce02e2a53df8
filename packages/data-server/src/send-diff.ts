import type { ServerResponse } from 'node:http';
import {
  asId,
  byteStringToText,
  diffTrees,
  type Node,
  openToRead,
  type TreeId,
  type WithSignal,
} from '@holdfast/engine';
import type { DataRequest, Difference } from '@holdfast/protocol';

type DiffRequest = Extract<DataRequest, { kind: 'diff' }>;

/** A part's own entry, in a path from the top of its tree. */
const partEntry = /^\/data(?:\/|$)/;

/** What differs between parts of two backups, part by part, up to the limit. */
export async function sendDiff(
  request: DiffRequest,
  response: ServerResponse,
  abort: WithSignal,
): Promise<void> {
  await using opened = await openToRead(request.repository, abort);
  const { signal, repository } = opened;
  const { blobs } = repository;
  const differences: Difference[] = [];
  let isMore = false;
  for (const { name: part, isOneFile, ...trees } of request.parts) {
    const [oldTreeId, newTreeId] = [treeOf(trees.oldTreeId), treeOf(trees.newTreeId)];
    for await (const { change, path, old, new: next } of diffTrees({ blobs, oldTreeId, newTreeId, signal })) {
      if (isOneFile && change === 'metadata') continue;
      isMore = differences.length === request.limit;
      if (isMore) break;
      differences.push({
        part,
        change,
        path: byteStringToText(path).replace(partEntry, ''),
        type: (next ?? old)?.type ?? 'irregular',
        oldSize: sizeOf(old),
        newSize: sizeOf(next),
      });
    }
    if (isMore) break;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(JSON.stringify({ differences, isMore }));
}

function treeOf(id: string | null): TreeId | undefined {
  return id === null ? undefined : asId<TreeId>(id);
}

function sizeOf(node: Node | undefined): number | null {
  return node?.type === 'file' ? node.size : null;
}
