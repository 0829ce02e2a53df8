import { ftruncateSync, read, write } from 'node:fs';
import { promisify } from 'node:util';
import { HoldfastError, systemErrorCode, throwIfAborted } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import type { MetadataFailure } from '../filesystem/make-file.ts';
import { writtenRanges } from '../filesystem/write-bytes.ts';
import type { ByteString } from '../format/byte-string.ts';
import type { BlobId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { BlobCopier, BlobReader } from '../repository/blob-store.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import { settleAll } from './settle-all.ts';

const readFile = promisify(read);
const writeFile = promisify(write);

/** A chunk of a file, and where in it it belongs. */
interface Extent {
  readonly id: BlobId;
  readonly offset: number;
  readonly length: number;
}

/** A file that is being written, and the one that it is going to replace, if any. */
interface WrittenFile {
  readonly file: number;
  readonly old: number | undefined;
}

export interface FileContentOptions {
  readonly blobs: BlobReader;
  readonly copier: BlobCopier;
  readonly signal: AbortSignal;
  /** Limits what all files together hold in memory. */
  readonly memoryBytes: number;
  /** Leave out zeros, so that the file has holes there; the copier does the same. */
  readonly sparse: boolean;
}

/** Writes and checks the contents of files. Any number of calls may run at once. */
export class FileContent {
  readonly #options: FileContentOptions;
  readonly #memory: WeightedLimiter;

  constructor(options: FileContentOptions) {
    this.#options = options;
    this.#memory = new WeightedLimiter(options.memoryBytes);
  }

  /**
   * Writes the node's content into an empty file; returns when all of it is written. Chunks that the file `old` has
   * at the same place are copied from there, each proven by its hash; only the others are read from the repository.
   * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`; Node's system errors
   */
  async write(file: number, node: Node, old?: number): Promise<void> {
    const extents = this.#extentsOf(node);
    if (this.#options.sparse && node.size > 0) ftruncateSync(file, node.size);
    await this.#writeExtents({ file, old }, extents);
  }

  /** True for a file whose content is one blob, of the length that the index says. */
  isOneBlob({ content, size }: Node): boolean {
    const [id] = content ?? [];
    return (
      content?.length === 1 && id !== undefined && this.#options.blobs.blobSizeBytes('data', id) === size
    );
  }

  /**
   * Makes a file of such a node where nothing is. What of its metadata could not be set comes back; undefined if
   * there is no such file now, for whatever reason.
   */
  async makeFile(
    { directory, name }: { readonly directory: number; readonly name: ByteString },
    node: Node,
  ): Promise<readonly MetadataFailure[] | undefined> {
    const [id] = node.content ?? [];
    if (id === undefined) return undefined;
    const { type, mode, uid, gid, accessedAt, modifiedAt, extendedAttributes } = node;
    const metadata = { type, mode, uid, gid, accessedAt, modifiedAt, extendedAttributes };
    const { copier, signal } = this.#options;
    return await copier.makeFile(id, { directory, name, metadata }, { signal });
  }

  /** Whether the file holds exactly the node's content; not so if it cannot be read. @throws HoldfastError as `write` */
  async matches(file: number, node: Node, sizeBytes: number): Promise<boolean> {
    if (sizeBytes !== node.size) return false;
    for (const extent of this.#extentsOf(node)) {
      throwIfAborted(this.#options.signal);
      await this.#memory.acquire(extent.length, { signal: this.#options.signal });
      try {
        if ((await readExtent(file, extent)) === undefined) return false;
      } finally {
        this.#memory.release(extent.length);
      }
    }
    return true;
  }

  async #writeExtents(files: WrittenFile, extents: readonly Extent[]): Promise<void> {
    const writes: Promise<void>[] = [];
    let failed = false;
    for (const extent of extents) {
      if (failed) break;
      await this.#memory.acquire(extent.length, { signal: this.#options.signal });
      const writing = this.#writeExtent(files, extent).finally(() => this.#memory.release(extent.length));
      writing.catch(() => {
        failed = true;
      });
      writes.push(writing);
    }
    await settleAll(writes);
  }

  async #writeExtent({ file, old }: WrittenFile, extent: Extent): Promise<void> {
    const { id, offset, length } = extent;
    const write = (bytes: Uint8Array): Promise<void> => this.#writeBytes(file, bytes, extent);
    const bytes = old === undefined ? undefined : await readExtent(old, extent);
    if (bytes !== undefined) await write(bytes);
    else {
      const target = { file, position: offset, sizeBytes: length, write };
      await this.#options.copier.copy(id, target, { signal: this.#options.signal });
    }
  }

  async #writeBytes(file: number, bytes: Uint8Array, { offset, length }: Extent): Promise<void> {
    if (bytes.length !== length) throw damagedFile('a chunk is not as long as the index says');
    for (const { start, end } of writtenRanges(bytes, this.#options))
      await writeAll(file, bytes.subarray(start, end), offset + start);
  }

  #extentsOf(node: Node): Extent[] {
    let offset = 0;
    const extents = (node.content ?? []).map((id) => {
      const length = this.#options.blobs.blobSizeBytes('data', id);
      if (length === undefined) {
        throw new HoldfastError('blob-missing', 'A chunk of the file is not in the repository.', {
          hint: 'Check the repository, or restore from another copy.',
          context: { blobId: id },
        });
      }
      const extent = { id, offset, length };
      offset += length;
      return extent;
    });
    if (offset !== node.size) throw damagedFile('its chunks do not add up to its size');
    return extents;
  }
}

function damagedFile(reason: string): HoldfastError {
  return new HoldfastError('repository-damaged', `The file is damaged in the repository: ${reason}.`, {
    hint: 'Check the repository, or restore from another copy.',
  });
}

async function writeAll(file: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const result = await writeFile(file, bytes, written, bytes.length - written, position + written);
    written += result.bytesWritten;
  }
}

/** The chunk, if the file has it at its place; undefined if it has something else there, or cannot be read. */
async function readExtent(file: number, { id, offset, length }: Extent): Promise<Buffer | undefined> {
  try {
    const bytes = await readExactly(file, offset, length);
    return bytes !== undefined && sha256(bytes) === id ? bytes : undefined;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** undefined if the file ends before. */
async function readExactly(file: number, position: number, length: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await readFile(file, bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) return undefined;
    filled += bytesRead;
  }
  return bytes;
}
