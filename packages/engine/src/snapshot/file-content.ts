import { ftruncateSync, read, write } from 'node:fs';
import { promisify } from 'node:util';
import { HoldfastError, throwIfAborted } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import type { BlobId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { settleAll } from './settle-all.ts';
import { WeightedLimiter } from './weighted-limiter.ts';

const readFile = promisify(read);
const writeFile = promisify(write);

const pageBytes = 4096;
const zeroPage = Buffer.alloc(pageBytes);

/** A chunk of a file, and where in it it belongs. */
interface Extent {
  readonly id: BlobId;
  readonly offset: number;
  readonly length: number;
}

export interface FileContentOptions {
  readonly blobs: BlobReader;
  readonly signal: AbortSignal;
  /** Limits what all files together hold in memory. */
  readonly memoryBytes: number;
  /** Leave out zeros, so that the file has holes there. */
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
   * Writes the node's content into an empty file; returns when all of it is written.
   * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`; Node's system errors
   */
  async write(file: number, node: Node): Promise<void> {
    const extents = this.#extentsOf(node);
    if (this.#options.sparse && node.size > 0) ftruncateSync(file, node.size);
    await this.#writeExtents(file, extents);
  }

  /** Whether the file holds exactly the node's content. @throws HoldfastError as `write` */
  async matches(file: number, node: Node, sizeBytes: number): Promise<boolean> {
    if (sizeBytes !== node.size) return false;
    for (const { id, offset, length } of this.#extentsOf(node)) {
      throwIfAborted(this.#options.signal);
      await this.#memory.acquire(length, { signal: this.#options.signal });
      try {
        const bytes = await readExactly(file, offset, length);
        if (bytes === undefined || sha256(bytes) !== id) return false;
      } finally {
        this.#memory.release(length);
      }
    }
    return true;
  }

  async #writeExtents(file: number, extents: readonly Extent[]): Promise<void> {
    const writes: Promise<void>[] = [];
    let failed = false;
    for (const extent of extents) {
      if (failed) break;
      await this.#memory.acquire(extent.length, { signal: this.#options.signal });
      const writing = this.#writeExtent(file, extent).finally(() => this.#memory.release(extent.length));
      writing.catch(() => {
        failed = true;
      });
      writes.push(writing);
    }
    await settleAll(writes);
  }

  async #writeExtent(file: number, { id, offset, length }: Extent): Promise<void> {
    const bytes = await this.#options.blobs.readBlob('data', id, { signal: this.#options.signal });
    if (bytes.length !== length) throw damagedFile('a chunk is not as long as the index says');
    if (!this.#options.sparse) {
      await writeAll(file, bytes, offset);
      return;
    }
    for (const { start, end } of dataRanges(bytes)) {
      await writeAll(file, bytes.subarray(start, end), offset + start);
    }
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

/** The ranges, in whole pages but for the last, that are not all zeros. */
function* dataRanges(bytes: Uint8Array): Generator<{ readonly start: number; readonly end: number }, void> {
  let start = -1;
  for (let at = 0; at < bytes.length; at += pageBytes) {
    const page = bytes.subarray(at, at + pageBytes);
    const isZero = zeroPage.compare(page, 0, page.length, 0, page.length) === 0;
    if (!isZero && start === -1) start = at;
    if (isZero && start !== -1) {
      yield { start, end: at };
      start = -1;
    }
  }
  if (start !== -1) yield { start, end: bytes.length };
}
