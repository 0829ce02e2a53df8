import { Readable, type Writable } from 'node:stream';
import { type Abortable, untilAborted } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { type WalkEntry, walkTree } from '../snapshot/walk.ts';
import { type ArchivePiece, readPieces } from './read-pieces.ts';
import { blobPieces, type TarMember, tarPieces } from './tar-pieces.ts';

/** Pieces are gathered into writes of about this size. */
const writeBytes = 256 * 1024;

export interface ArchiveRequest extends Abortable {
  readonly blobs: BlobReader;
  /** Written to as fast as it takes the bytes; not ended. Its `error` events are the caller's to take. */
  readonly output: Writable;
}

export interface TarRequest extends ArchiveRequest {
  /** What the archive is of, in order: see `entriesBeneath` and `entriesAt`. */
  readonly members: AsyncIterable<TarMember>;
  /** Where in the archive files with the SHA-256 of all contents go, as `sha256sum -c` takes them; undefined for none. */
  readonly checksumsFolder?: ByteString | undefined;
}

/**
 * Writes a tar archive. Answers its length in bytes.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`, `target-unsafe`; what ends the output, and
 * whatever the members reject with
 */
export async function writeTar({ members, checksumsFolder, ...request }: TarRequest): Promise<number> {
  const { blobs, signal } = request;
  return await writePieces({ ...request, pieces: tarPieces({ blobs, members, checksumsFolder, signal }) });
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
  await using copier = blobs.openCopier({ sparse: false });
  const writer = new GatheringWriter(output, { signal });
  for await (const bytes of readPieces({ copier, pieces, signal })) await writer.write(bytes);
  await writer.flush();
  return writer.writtenBytes;
}

/** Keeps no bytes after a write has returned. */
class GatheringWriter {
  readonly #output: Writable;
  readonly #signal: AbortSignal | undefined;
  readonly #gathered = Buffer.allocUnsafeSlow(writeBytes);
  #gatheredBytes = 0;
  writtenBytes = 0;

  constructor(output: Writable, { signal }: Abortable) {
    this.#output = output;
    this.#signal = signal;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.writtenBytes += bytes.length;
    if (this.#gatheredBytes + bytes.length > writeBytes) await this.flush();
    if (bytes.length >= writeBytes) return await this.#send(bytes);
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  async flush(): Promise<void> {
    if (this.#gatheredBytes > 0) await this.#send(this.#gathered.subarray(0, this.#gatheredBytes));
    this.#gatheredBytes = 0;
  }

  /** Returns when the output has taken the bytes over, and no sooner: they change then. */
  async #send(bytes: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#output.write(bytes, (error) => (error == null ? resolve() : reject(error)));
    await untilAborted(promise, { signal: this.#signal });
  }
}
