import type { ServerResponse } from 'node:http';
import {
  asId,
  byteStringToBytes,
  byteStringToText,
  findNode,
  type Node,
  openToRead,
  permissionsOf,
  readNodes,
  type TreeId,
  toByteString,
  type WithSignal,
} from '@holdfast/engine';
import type { DataRequest, ListedFile } from '@holdfast/protocol';

type ListRequest = Extract<DataRequest, { kind: 'list' }>;

/** What is in a directory, by the bytes of their names; of anything else, itself. @throws HoldfastError `path-unknown` */
export async function sendList(
  request: ListRequest,
  response: ServerResponse,
  abort: WithSignal,
): Promise<void> {
  await using opened = await openToRead(request.repository, abort);
  const { signal, repository } = opened;
  const { blobs } = repository;
  const names = [toByteString('data'), ...request.path.map(toByteString)] as const;
  const node = await findNode(blobs, asId<TreeId>(request.treeId), names, { signal });
  const nodes = node.subtree === undefined ? [node] : await readNodes(blobs, node.subtree, { signal });
  const after = request.after === null ? undefined : toByteString(Buffer.from(request.after, 'base64url'));
  const files: ListedFile[] = [];
  let last: Node | undefined;
  let isMore = false;
  for (const each of nodes) {
    if (after !== undefined && each.name <= after) continue;
    isMore = files.length === request.limit;
    if (isMore) break;
    files.push(toListedFile(each));
    last = each;
  }
  const next = isMore && last !== undefined ? byteStringToBytes(last.name).toString('base64url') : null;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(JSON.stringify({ files, next }));
}

function toListedFile(node: Node): ListedFile {
  const { type, size, uid, gid, modifiedAt } = node;
  return {
    name: byteStringToText(node.name),
    type,
    size,
    mode: permissionsOf(node.mode),
    uid,
    gid,
    modifiedAtMs: modifiedAt.seconds * 1000 + Math.floor(modifiedAt.nanoseconds / 1e6),
    linkTarget: type === 'symlink' ? byteStringToText(node.linkTarget) : null,
  };
}
