import { read } from 'node:fs';
import { promisify } from 'node:util';
import { type Abortable, HoldfastError, systemErrorCode } from '@holdfast/base';
import { type BlockPrinter, blockBytes, printBytes } from '../crypto/block-printer.ts';
import type { BlobId } from '../format/ids.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import type { ChunkSource } from './chunk-reader.ts';
import type { KnownFile, KnownMoment } from './known-files.ts';

const readFile = promisify(read);

const stretchBytes = 64 * blockBytes;

export interface PatchedFileParts {
  /** As it was at the moment that is to be saved. */
  readonly moment: KnownMoment;
  readonly printer: BlockPrinter;
  readonly blobs: BlobReader;
}

interface KnownChunk {
  readonly id: BlobId;
  readonly start: number;
  readonly end: number;
}

/**
 * A large file as it was at one moment, of which only the blocks that had changed were copied then. The others are read
 * from the file as it is now, each proven by its print; those that changed since then come from the repository.
 */
export class PatchedFile {
  readonly #parts: PatchedFileParts;
  readonly #chunks: readonly KnownChunk[];
  readonly #chunkAt = new Map<number, KnownChunk>();
  readonly #stretch = Buffer.allocUnsafeSlow(stretchBytes);
  #stretchStart = -1;
  #lastRead: { readonly id: BlobId; readonly bytes: Uint8Array } | undefined;

  constructor(parts: PatchedFileParts) {
    this.#parts = parts;
    this.#chunks = chunksOf(parts.moment, parts.blobs);
    for (const chunk of this.#chunks) this.#chunkAt.set(chunk.start, chunk);
  }

  get sizeBytes(): number {
    return this.#parts.moment.sizeBytes;
  }

  /**
   * The chunk that begins there and would be cut there again, because everything in it is as it was. Where a file ends
   * cuts its last chunk: that one is only cut again where the file ends there still.
   */
  unchangedChunkAt(position: number): KnownChunk | undefined {
    const chunk = this.#chunkAt.get(position);
    if (chunk === undefined || chunk.end > this.sizeBytes) return undefined;
    const { changed, contentBytes } = this.#parts.moment;
    if (chunk.end === contentBytes && chunk.end !== this.sizeBytes) return undefined;
    for (let block = Math.floor(position / blockBytes); block * blockBytes < chunk.end; block += 1) {
      if (changed.has(block)) return undefined;
    }
    return chunk;
  }

  /** Its bytes from there to its end. */
  from(position: number, options: Abortable): ChunkSource {
    let next = position;
    return {
      read: async (into) => {
        if (next >= this.sizeBytes) return 0;
        await this.#loadStretch(next - (next % stretchBytes), options);
        const end = Math.min(this.#stretchStart + stretchBytes, this.sizeBytes, next + into.length);
        const copied = this.#stretch.copy(into, 0, next - this.#stretchStart, end - this.#stretchStart);
        next += copied;
        return copied;
      },
    };
  }

  async #loadStretch(start: number, options: Abortable): Promise<void> {
    if (this.#stretchStart === start) return;
    this.#stretchStart = -1;
    const stretch = this.#stretch.subarray(0, Math.min(stretchBytes, this.sizeBytes - start));
    await this.#readSource(stretch, start);
    for (let at = 0; at < stretch.length; at += blockBytes) {
      await this.#loadBlock(stretch.subarray(at, at + blockBytes), start + at, options);
    }
    this.#stretchStart = start;
  }

  /** What cannot be read any more, such as a file that a file server has no more, comes from the repository. */
  async #readSource(stretch: Buffer, start: number): Promise<void> {
    try {
      await readUpTo(this.#parts.moment.source.number, stretch, start);
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      stretch.fill(0);
    }
  }

  /** @param block as it is in the source now */
  async #loadBlock(block: Buffer, start: number, options: Abortable): Promise<void> {
    const { changed, prints, copy } = this.#parts.moment;
    const number = start / blockBytes;
    const print = prints.subarray(number * printBytes, (number + 1) * printBytes);
    const { printer } = this.#parts;
    if (changed.has(number)) await readUpTo(copy.number, block, start);
    else if (!printer.hasPrint(block, print)) await this.#readFromRepository(block, start, options);
    if (!printer.hasPrint(block, print)) throw notAsItWas();
  }

  async #readFromRepository(block: Buffer, start: number, options: Abortable): Promise<void> {
    const end = start + block.length;
    for (const chunk of this.#chunks) {
      if (chunk.end <= start || chunk.start >= end) continue;
      const bytes = await this.#chunk(chunk.id, options);
      const from = Math.max(start, chunk.start);
      block.set(bytes.subarray(from - chunk.start, Math.min(end, chunk.end) - chunk.start), from - start);
    }
  }

  async #chunk(id: BlobId, options: Abortable): Promise<Uint8Array> {
    if (this.#lastRead?.id !== id) {
      this.#lastRead = { id, bytes: await this.#parts.blobs.readBlob('data', id, options) };
    }
    return this.#lastRead.bytes;
  }
}

function chunksOf({ content }: KnownFile, blobs: BlobReader): KnownChunk[] {
  let start = 0;
  return content.map((id) => {
    const end = start + (blobs.blobSizeBytes('data', id) ?? 0);
    const chunk = { id, start, end };
    start = end;
    return chunk;
  });
}

/** What is not there any more reads as zeros. */
async function readUpTo(file: number, into: Buffer, position: number): Promise<void> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await readFile(file, into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  into.fill(0, filled);
}

function notAsItWas(): HoldfastError {
  return new HoldfastError(
    'internal',
    'A block of a file that stood still is not what was set aside of it.',
    {
      hint: 'Take the backup again; if this comes back, check the memory and the disk of this machine.',
    },
  );
}
