import { throwIfAborted, toHoldfastError } from '@holdfast/base';
import type { ChunkWindow } from '../chunker/chunk-window.ts';
import { minChunkBytes } from '../chunker/chunk-window.ts';
import { type ChunkWindows, windowBytes } from '../chunker/chunk-windows.ts';
import type { FileStatus } from '../filesystem/file-status.ts';
import type { BlobId } from '../format/ids.ts';
import type { BlobType, BlobWriter, SavedBlob } from '../repository/blob-store.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import { threadCount } from '../workers/worker-pool.ts';
import {
  type ChunkSource,
  HoleAwareReader,
  readChunks,
  StreamReader,
  type WindowPool,
} from './chunk-reader.ts';
import type { PatchedFile } from './patched-file.ts';
import type { ProgressCounter } from './progress.ts';
import type { SavedContent } from './saved-content.ts';
import type { TreeSpool } from './tree-spool.ts';

/** How much of one file's chunks may wait to be stored. */
const mostBytesUnderWay = 12 * 1024 * 1024;
/** For all contents of a backup that are under way. */
export const contentMemoryBytes = 64 * 1024 * 1024;
/** So many small files keep the threads at work; what more are under way only fills memory. */
const smallFilesUnderWay = 64 * threadCount;
/** Of a large file: the one that is read to, and those that chunks under way are still in. */
const windowsUnderWay = 4;
/** Each takes as much memory as a large file. */
const streamsUnderWay = 2;
const leastMemoryBytes = contentMemoryBytes / smallFilesUnderWay;

export interface FileSaverParts {
  readonly writer: BlobWriter;
  readonly windows: ChunkWindows;
  readonly trees?: TreeSpool | undefined;
  readonly progress: ProgressCounter;
  readonly signal: AbortSignal;
}

/** Stores contents: of files and streams chunk by chunk, of trees as one blob. Any number of calls may run at once. */
export class FileSaver implements WindowPool {
  readonly #parts: FileSaverParts;
  readonly #savesOfWindow = new Map<ArrayBufferLike, Promise<unknown>[]>();
  readonly #streams = new WeightedLimiter(streamsUnderWay);
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

  /**
   * The same for a file of which a pass before knew most: chunks that nothing changed in are kept, without being read.
   * @throws Node's system errors when it cannot be read; HoldfastError when the repository fails
   */
  async savePatched(file: PatchedFile): Promise<SavedContent> {
    const { progress, signal } = this.#parts;
    const chunks = new ChunkList();
    while (chunks.sizeBytes < file.sizeBytes) {
      const unchanged = file.unchangedChunkAt(chunks.sizeBytes);
      if (unchanged === undefined) {
        const source = file.from(chunks.sizeBytes, { signal });
        await this.#saveChunks(source, chunks, (position) => file.unchangedChunkAt(position) !== undefined);
      } else {
        const lengthBytes = unchanged.end - unchanged.start;
        chunks.add(Promise.resolve(unchanged.id), lengthBytes);
        progress.addBytes(lengthBytes);
      }
    }
    return await chunks.finish();
  }

  /**
   * Reads a stream, whose length nobody knows, to its end.
   * @throws whatever the stream throws; HoldfastError when the repository fails
   */
  async saveStream(stream: AsyncIterable<Uint8Array>): Promise<SavedContent> {
    await this.#streams.acquire(1, this.#parts);
    const source = new StreamReader(stream);
    const chunks = new ChunkList();
    try {
      await this.#saveChunks(source, chunks, () => false);
    } finally {
      await source.close();
      this.#streams.release(1);
    }
    return await chunks.finish();
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
    const window = this.#parts.windows.take();
    this.#savesOfWindow.set(window.bytes.buffer, []);
    return window;
  }

  leave(window: ChunkWindow): void {
    const saves = this.#savesOfWindow.get(window.bytes.buffer) ?? [];
    this.#savesOfWindow.delete(window.bytes.buffer);
    void Promise.allSettled(saves).then(() => this.#parts.windows.give(window));
  }

  async #saveSmall(file: number, size: number): Promise<SavedContent> {
    throwIfAborted(this.#parts.signal);
    const saved = await this.#parts.writer.saveFile(file, size, { signal: this.#parts.signal });
    if (saved === undefined) return { content: [], size: 0 };
    return { content: [this.#counted('data', saved).id], size: saved.sizeBytes };
  }

  async #saveLarge(file: number, status: FileStatus): Promise<SavedContent> {
    const source = { file, limitBytes: status.size, isSparse: status.allocated < status.size };
    const chunks = new ChunkList();
    await this.#saveChunks(new HoleAwareReader(source), chunks, () => false);
    return await chunks.finish();
  }

  /** Cuts the source into chunks and saves them, up to its end or a position where `isEnough`. */
  async #saveChunks(
    source: ChunkSource,
    chunks: ChunkList,
    isEnough: (position: number) => boolean,
  ): Promise<void> {
    const { signal } = this.#parts;
    for await (const chunk of readChunks(source, this, { signal })) {
      await chunks.underWay.acquire(chunk.length, { signal });
      chunks.throwIfFailed();
      const save = this.saveBlob('data', chunk).finally(() => chunks.underWay.release(chunk.length));
      this.#savesOfWindow.get(chunk.buffer)?.push(save);
      chunks.add(save, chunk.length);
      if (isEnough(chunks.sizeBytes)) break;
    }
  }

  #counted(type: BlobType, saved: SavedBlob): SavedBlob {
    this.#storedBytes += saved.storedBytes;
    if (type === 'data') this.#parts.progress.addBytes(saved.sizeBytes);
    return saved;
  }
}

/** The chunks of one file, in order, which may still be on their way to the repository. */
class ChunkList {
  readonly underWay = new WeightedLimiter(mostBytesUnderWay);
  readonly #saves: Promise<BlobId>[] = [];
  #sizeBytes = 0;
  #failure: { readonly error: unknown } | undefined;

  /** So far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(save: Promise<BlobId>, sizeBytes: number): void {
    save.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#saves.push(save);
    this.#sizeBytes += sizeBytes;
  }

  /** So that nobody reads on, perhaps without end, for what is not stored. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async finish(): Promise<SavedContent> {
    return { content: await Promise.all(this.#saves), size: this.#sizeBytes };
  }
}
