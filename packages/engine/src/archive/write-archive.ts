import { Readable, type Writable } from 'node:stream';
import type { Abortable } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { type WalkEntry, walkTree } from '../snapshot/walk.ts';
import { type ArchiveContents, blobPieces } from './archive-items.ts';
import { GatheringWriter } from './gathering-writer.ts';
import { type ArchivePiece, readPieces } from './read-pieces.ts';
import { tarPieces } from './tar-pieces.ts';
import { zipPieces } from './zip-pieces.ts';
import { ZipWriter } from './zip-writer.ts';

export interface ArchiveRequest extends Abortable {
  readonly blobs: BlobReader;
  /** Written to as fast as it takes the bytes; not ended. Its `error` events are the caller's to take. */
  readonly output: Writable;
}

export type ContentsRequest = ArchiveRequest & ArchiveContents;

/**
 * Writes a tar archive. Answers its length in bytes.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`, `target-unsafe`; what ends the output, and
 * whatever the members reject with
 */
export async function writeTar({ members, checksumsFolder, ...request }: ContentsRequest): Promise<number> {
  const { blobs, signal } = request;
  return await writePieces({ ...request, pieces: tarPieces({ blobs, members, checksumsFolder, signal }) });
}

/**
 * Writes a zip archive of what such can hold: see `zipRules`. Its directory waits in a file without a name. Answers
 * its length in bytes.
 * @throws HoldfastError as `writeTar`; `target-full`, `target-not-writable` for the folder of temporary files
 */
export async function writeZip({ members, checksumsFolder, ...request }: ContentsRequest): Promise<number> {
  const { blobs, output, signal } = request;
  await using copier = blobs.openCopier({ sparse: false, willSync: false });
  const writer = new GatheringWriter(output, { signal });
  using zip = new ZipWriter(writer);
  const pieces = zipPieces({ blobs, members, checksumsFolder, signal });
  for await (const { piece, bytes } of readPieces({ copier, pieces, signal })) {
    if ('begins' in piece) await zip.begin(piece.begins);
    else await zip.add(bytes);
  }
  await zip.end();
  await writer.flush();
  return writer.writtenBytes;
}

export interface TreeEntriesRequest extends Abortable {
  readonly blobs: BlobReader;
  readonly treeId: TreeId;
  /** What the paths begin with: `/srv/app`, or nothing. */
  readonly prefix: ByteString;
}

/** All that is in a tree. @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged` */
export async function* entriesBeneath({
  blobs,
  treeId,
  prefix,
  signal,
}: TreeEntriesRequest): AsyncGenerator<WalkEntry> {
  for await (const { path, node } of walkTree({ blobs, treeId, signal })) {
    yield { path: `${prefix}${path}` as ByteString, node };
  }
}

export interface NodeEntriesRequest extends Abortable {
  readonly blobs: BlobReader;
  readonly node: Node;
  /** The path that the node gets: `/parts/data`. */
  readonly path: ByteString;
}

/** A node, and all that is in it. @throws HoldfastError as `entriesBeneath` */
export async function* entriesAt({
  blobs,
  node,
  path,
  signal,
}: NodeEntriesRequest): AsyncGenerator<WalkEntry> {
  yield { path, node };
  if (node.subtree !== undefined)
    yield* entriesBeneath({ blobs, treeId: node.subtree, prefix: path, signal });
}

/**
 * Writes the content of a file. Answers its length in bytes.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`; what ends the output
 */
export async function writeContent({
  node,
  ...request
}: ArchiveRequest & { readonly node: Node }): Promise<number> {
  const pieces = blobPieces(request.blobs, { path: node.name, node });
  return await writePieces({ ...request, pieces: Readable.from(pieces) });
}

interface PiecesRequest extends ArchiveRequest {
  readonly pieces: AsyncIterable<ArchivePiece>;
}

/** With bounded memory. */
async function writePieces({ blobs, pieces, output, signal }: PiecesRequest): Promise<number> {
  await using copier = blobs.openCopier({ sparse: false, willSync: false });
  const writer = new GatheringWriter(output, { signal });
  for await (const { bytes } of readPieces({ copier, pieces, signal })) await writer.write(bytes);
  await writer.flush();
  return writer.writtenBytes;
}
