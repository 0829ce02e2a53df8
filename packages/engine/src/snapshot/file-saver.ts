import { throwIfAborted, toHoldfastError } from '@holdfast/base';
import { ChunkWindow } from '../chunker/chunk-window.ts';
import { minChunkBytes } from '../chunker/chunker.ts';
import type { ChunkerPolynomial } from '../chunker/polynomial.ts';
import type { FileStatus } from '../filesystem/file-status.ts';
import type { BlobId } from '../format/ids.ts';
import type { BlobType, BlobWriter, SavedBlob } from '../repository/blob-store.ts';
import { threadCount } from '../workers/worker-pool.ts';
import { readChunks, type WindowPool, windowBytes } from './chunk-reader.ts';
import type { ProgressCounter } from './progress.ts';
import type { TreeSpool } from './tree-spool.ts';
import { WeightedLimiter } from './weighted-limiter.ts';

/** How much of one file's chunks may wait to be stored. */
const mostBytesUnderWay = 12 * 1024 * 1024;
/** For all contents of a backup that are under way. */
export const contentMemoryBytes = 64 * 1024 * 1024;
/** So many small files keep the threads at work; what more are under way only fills memory. */
const smallFilesUnderWay = 64 * threadCount;
/** Of a large file: the one that is read to, and those that chunks under way are still in. */
const windowsUnderWay = 4;
const leastMemoryBytes = contentMemoryBytes / smallFilesUnderWay;

export interface SavedContent {
  readonly content: readonly BlobId[];
  /** Sum of the chunks' lengths. */
  readonly size: number;
}

export interface FileSaverParts {
  readonly writer: BlobWriter;
  readonly polynomial: ChunkerPolynomial;
  readonly trees?: TreeSpool | undefined;
  readonly progress: ProgressCounter;
  readonly signal: AbortSignal;
}

/** Stores contents: of files chunk by chunk, of trees as one blob. Any number of calls may run at once. */
export class FileSaver implements WindowPool {
  readonly #parts: FileSaverParts;
  readonly #spareWindows: ChunkWindow[] = [];
  readonly #savesOfWindow = new Map<ArrayBufferLike, Promise<unknown>[]>();
  #storedBytes = 0;

  constructor(parts: FileSaverParts) {
    this.#parts = parts;
  }

  /** Bytes added to the repository so far, as `SavedBlob` counts them. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** How much memory saving such a file takes, for a limit on all that is under way. */
  static memoryBytes(status: FileStatus): number {
    if (status.size <= minChunkBytes) return Math.max(status.size, leastMemoryBytes);
    return status.size <= windowBytes ? windowBytes : windowsUnderWay * windowBytes;
  }

  /**
   * Saves an open regular file up to the size that its status told.
   * @throws Node's system errors when it cannot be read; HoldfastError when the repository fails
   */
  async saveFile(file: number, status: FileStatus): Promise<SavedContent> {
    if (status.size === 0) return { content: [], size: 0 };
    return status.size <= minChunkBytes
      ? await this.#saveSmall(file, status.size)
      : await this.#saveLarge(file, status);
  }

  async saveBlob(type: BlobType, plaintext: Uint8Array): Promise<BlobId> {
    throwIfAborted(this.#parts.signal);
    try {
      const saved = await this.#parts.writer.saveBlob(type, plaintext, { signal: this.#parts.signal });
      if (type === 'tree') this.#parts.trees?.add(saved.id, plaintext);
      return this.#counted(type, saved).id;
    } catch (error) {
      // Never a bare system error: those mean here that the source could not be read.
      throw toHoldfastError(error);
    }
  }

  take(): ChunkWindow {
    const window = this.#spareWindows.pop() ?? new ChunkWindow(this.#parts.polynomial, windowBytes);
    this.#savesOfWindow.set(window.bytes.buffer, []);
    return window;
  }

  leave(window: ChunkWindow): void {
    const saves = this.#savesOfWindow.get(window.bytes.buffer) ?? [];
    this.#savesOfWindow.delete(window.bytes.buffer);
    void Promise.allSettled(saves).then(() => this.#spareWindows.push(window));
  }

  async #saveSmall(file: number, size: number): Promise<SavedContent> {
    throwIfAborted(this.#parts.signal);
    const saved = await this.#parts.writer.saveFile(file, size, { signal: this.#parts.signal });
    if (saved === undefined) return { content: [], size: 0 };
    return { content: [this.#counted('data', saved).id], size: saved.sizeBytes };
  }

  async #saveLarge(file: number, status: FileStatus): Promise<SavedContent> {
    const source = { file, limitBytes: status.size, isSparse: status.allocated < status.size };
    const saves: Promise<BlobId>[] = [];
    const underWay = new WeightedLimiter(mostBytesUnderWay);
    let size = 0;
    for await (const chunk of readChunks(source, this, { signal: this.#parts.signal })) {
      size += chunk.length;
      await underWay.acquire(chunk.length, { signal: this.#parts.signal });
      const save = this.saveBlob('data', chunk).finally(() => underWay.release(chunk.length));
      this.#savesOfWindow.get(chunk.buffer)?.push(save);
      saves.push(save);
      save.catch(() => {});
    }
    return { content: await Promise.all(saves), size };
  }

  #counted(type: BlobType, saved: SavedBlob): SavedBlob {
    this.#storedBytes += saved.storedBytes;
    if (type === 'data') this.#parts.progress.addBytes(saved.sizeBytes);
    return saved;
  }
}
