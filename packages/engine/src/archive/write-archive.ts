import { Readable, type Writable } from 'node:stream';
import { type Abortable, untilAborted } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { type WalkEntry, walkTree } from '../snapshot/walk.ts';
import { type ArchivePiece, readPieces } from './read-pieces.ts';
import { blobPieces, tarPieces } from './tar-pieces.ts';

/** Pieces are gathered into writes of about this size. */
const writeBytes = 256 * 1024;

export interface ArchiveRequest extends Abortable {
  readonly blobs: BlobReader;
  /** Written to as fast as it takes the bytes; not ended. Its `error` events are the caller's to take. */
  readonly output: Writable;
}

export interface TarRequest extends ArchiveRequest {
  readonly treeId: TreeId;
  /** What the paths in the archive begin with: `/srv/app`, or nothing. */
  readonly prefix: ByteString;
  /** Told of each entry once its turn has come to be read. */
  readonly onEntry?: ((entry: WalkEntry) => void) | undefined;
}

/**
 * Writes a tar archive of what is in a tree. Answers its length in bytes.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`, `target-unsafe`; what ends the output
 */
export async function writeTar({ treeId, prefix, onEntry, ...request }: TarRequest): Promise<number> {
  const { blobs, signal } = request;
  const entries = beneath(prefix, walkTree({ blobs, treeId, signal }));
  return await writePieces({ ...request, pieces: tarPieces({ blobs, entries, onEntry, signal }) });
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

async function* beneath(prefix: ByteString, entries: AsyncIterable<WalkEntry>): AsyncGenerator<WalkEntry> {
  for await (const { path, node } of entries) yield { path: `${prefix}${path}` as ByteString, node };
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
