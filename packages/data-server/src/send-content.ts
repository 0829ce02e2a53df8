import type { ServerResponse } from 'node:http';
import { HoldfastError } from '@holdfast/base';
import {
  asId,
  byteStringToText,
  entriesBeneath,
  findNode,
  openToRead,
  type TreeId,
  toByteString,
  type WithSignal,
  writeContent,
} from '@holdfast/engine';
import type { DataRequest } from '@holdfast/protocol';
import { attachment, sendCompressed, writerOf } from './compressed.ts';

type ContentRequest = Extract<DataRequest, { kind: 'content' }>;

/** A file as it is; a directory as an archive of what is in it. @throws HoldfastError `path-unknown`, `usage-invalid` */
export async function sendContent(
  request: ContentRequest,
  response: ServerResponse,
  abort: WithSignal,
): Promise<void> {
  await using opened = await openToRead(request.repository, abort);
  const { signal, repository } = opened;
  const { blobs } = repository;
  const names = [toByteString('data'), ...request.path.map(toByteString)] as const;
  const node = await findNode(blobs, asId<TreeId>(request.treeId), names, { signal });
  const fileName = byteStringToText(node.name);
  if (node.subtree !== undefined) {
    const members = entriesBeneath({ blobs, treeId: node.subtree, prefix: toByteString(''), signal });
    const sending = { format: request.format, fileName, signal };
    return await sendCompressed(response, sending, async (output) => {
      await writerOf(request.format)({ blobs, members, output, signal });
    });
  }
  if (node.type !== 'file') {
    throw new HoldfastError('usage-invalid', `${fileName} is neither a file nor a directory.`, {
      hint: 'Download the directory that it is in.',
    });
  }
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': attachment(fileName),
    'content-length': node.size,
  });
  await writeContent({ blobs, node, output: response, signal });
}
