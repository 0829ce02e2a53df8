import type { ServerResponse } from 'node:http';
import {
  type ArchiveMember,
  archiveNotes,
  asId,
  type BlobReader,
  entriesAt,
  findNode,
  openToRead,
  type TreeId,
  toByteString,
  type WalkEntry,
  type WithSignal,
} from '@holdfast/engine';
import {
  archivedBackupFileName,
  archiveNotesHeader,
  type DataRequest,
  encodeArchiveNotes,
} from '@holdfast/protocol';
import { sendCompressed, writerOf } from './compressed.ts';

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
  const { format } = request;
  const container = format === 'zip' ? 'zip' : 'tar';
  const notes = await archiveNotes(entriesOf(blobs, nodes, { signal }), { container, signal });
  if (notes.length > 0) response.setHeader(archiveNotesHeader, encodeArchiveNotes(notes));
  await sendCompressed(response, { ...request, signal }, async (output) => {
    const manifest = notes.length > 0 ? { ...request.manifest, notes } : request.manifest;
    const members = membersOf(manifest, entriesOf(blobs, nodes, { signal }));
    const checksumsFolder = toByteString('/checksums');
    await writerOf(format)({ blobs, members, checksumsFolder, output, signal });
  });
}

type PartNode = Pick<Parameters<typeof entriesAt>[0], 'node' | 'path'>;

async function* entriesOf(
  blobs: BlobReader,
  nodes: readonly PartNode[],
  { signal }: WithSignal,
): AsyncGenerator<WalkEntry> {
  for (const { node, path } of nodes) yield* entriesAt({ blobs, node, path, signal });
}

async function* membersOf(
  manifest: object,
  entries: AsyncIterable<WalkEntry>,
): AsyncGenerator<ArchiveMember> {
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  yield { path: toByteString(`/${archivedBackupFileName}`), content: Buffer.from(text) };
  yield* entries;
}
