import type { TaskGroup } from '@holdfast/base';
import { Chunker } from '../chunker/chunker.ts';
import type { ChunkerPolynomial } from '../chunker/polynomial.ts';
import type { BlobId } from '../format/ids.ts';
import type { FileSaver } from './file-saver.ts';
import type { SavedContent } from './saved-content.ts';
import type { WeightedLimiter } from './weighted-limiter.ts';

/** How many chunks of a stream may wait to be stored. */
const chunksUnderWay = 8;

export interface StreamSaverParts {
  readonly saver: FileSaver;
  readonly polynomial: ChunkerPolynomial;
  /** Bytes of memory for chunks under way. */
  readonly memory: WeightedLimiter;
  readonly tasks: TaskGroup;
}

/** Stores the contents of streams, whose length nobody knows, chunk by chunk. Any number of calls may run at once. */
export class StreamSaver {
  readonly #parts: StreamSaverParts;

  constructor(parts: StreamSaverParts) {
    this.#parts = parts;
  }

  /**
   * Reads the stream to its end. Its pieces may be of any length, and must not change after they were given.
   * @throws whatever the stream throws; HoldfastError when the repository fails
   */
  async save(stream: AsyncIterable<Uint8Array>): Promise<SavedContent> {
    const { memory, polynomial, tasks } = this.#parts;
    const chunker = new Chunker(polynomial);
    const saves: Promise<BlobId>[] = [];
    let pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of stream) {
      size += piece.length;
      let start = 0;
      while (start < piece.length) {
        const end = chunker.findBoundary(piece, start);
        pieces.push(end === -1 ? piece.subarray(start) : piece.subarray(start, end));
        if (end === -1) break;
        await memory.acquire(chunkBytes(pieces), tasks);
        saves.push(this.#saveChunk(Buffer.concat(pieces)));
        pieces = [];
        start = end;
        await saves[saves.length - chunksUnderWay];
      }
    }
    if (pieces.length > 0) {
      await memory.acquire(chunkBytes(pieces), tasks);
      saves.push(this.#saveChunk(Buffer.concat(pieces)));
    }
    return { content: await Promise.all(saves), size };
  }

  /** A failure ends the backup; whoever awaits the promise sees it too. */
  #saveChunk(chunk: Buffer): Promise<BlobId> {
    const { memory, saver, tasks } = this.#parts;
    return tasks.start(saver.saveBlob('data', chunk).finally(() => memory.release(chunk.length)));
  }
}

function chunkBytes(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
