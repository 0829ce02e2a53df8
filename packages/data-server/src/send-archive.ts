import type { ServerResponse } from 'node:http';
import {
  asId,
  type BlobReader,
  entriesAt,
  findNode,
  openToRead,
  type TarMember,
  type TreeId,
  toByteString,
  type WithSignal,
  writeTar,
} from '@holdfast/engine';
import type { DataRequest } from '@holdfast/protocol';
import { sendCompressed } from './compressed.ts';

type ArchiveRequest = Extract<DataRequest, { kind: 'archive' }>;

/** Parts of a backup, each at its path, after a manifest that says what they are, and before their checksums. */
export async function sendArchive(
  request: ArchiveRequest,
  response: ServerResponse,
  abort: WithSignal,
): Promise<void> {
  await using opened = await openToRead(request.repository, abort);
  const { signal, repository } = opened;
  const { blobs } = repository;
  // Looked up before the first byte is sent: what is missing is still an error then.
  const nodes = await Promise.all(
    request.parts.map(async ({ treeId, path }) => ({
      path: toByteString(`/${path}`),
      node: await findNode(blobs, asId<TreeId>(treeId), [toByteString('data')], { signal }),
    })),
  );
  await sendCompressed(response, { ...request, signal }, async (output) => {
    const members = membersOf(blobs, request.manifest, nodes);
    await writeTar({ blobs, members, checksumsFolder: toByteString('/checksums'), output, signal });
  });
}

async function* membersOf(
  blobs: BlobReader,
  manifest: string,
  nodes: readonly Pick<Parameters<typeof entriesAt>[0], 'node' | 'path'>[],
): AsyncGenerator<TarMember> {
  yield { path: toByteString('/holdfast-backup.json'), content: Buffer.from(manifest) };
  for (const { node, path } of nodes) yield* entriesAt({ blobs, node, path });
}
