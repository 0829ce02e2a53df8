import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError, systemErrorCode, type TaskGroup } from '@holdfast/base';
import { blockBytes } from '../crypto/block-printer.ts';
import { copyContents } from '../filesystem/copy-contents.ts';
import { type FileStatus, statusOf } from '../filesystem/file-status.ts';
import { createFileAt, type Descriptor, openFileAt, openTrustedDirectory } from '../filesystem/open.ts';
import { readUpTo } from '../filesystem/read-up-to.ts';
import { toByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import type { FileSaver } from './file-saver.ts';
import type { KnownFile } from './known-files.ts';
import { PatchedFile } from './patched-file.ts';
import type { SavedContent } from './saved-content.ts';
import type { Standstill } from './standstill.ts';

/** Larger files are copied to storage. Below the least length of a chunk: each is saved as one. */
const mostBytesInMemory = 64 * 1024;
/** Of all files together; what does not fit goes to storage too. */
const memoryBytes = 24 * 1024 * 1024;
/** As many as there are threads that copy. */
const copiesAtOnce = 4;

/** The content that a file had while the sources stood still. */
export interface AsideContent {
  /** Bytes of memory that saving it takes. */
  readonly weight: number;
  save(saver: FileSaver): Promise<SavedContent>;
}

export interface AsideParts {
  readonly blobs: BlobReader;
  readonly tasks: TaskGroup;
}

/** Keeps copies of files while their sources stand still, and knows when that is over. */
export class Aside implements Disposable {
  readonly #standstill: Standstill;
  readonly #blobs: BlobReader;
  readonly #tasks: TaskGroup;
  readonly #copies = new WeightedLimiter(copiesAtOnce);
  readonly #over = Promise.withResolvers<void>();
  readonly #path: string;
  readonly #directory: Descriptor;
  readonly #startedAt = performance.now();
  #inMemoryBytes = 0;
  #files = 0;
  #bytes = 0;

  constructor(standstill: Standstill, { blobs, tasks }: AsideParts) {
    this.#standstill = standstill;
    this.#blobs = blobs;
    this.#tasks = tasks;
    this.#path = mkdtempSync(join(standstill.directory, 'aside-'));
    this.#directory = openTrustedDirectory(toByteString(this.#path));
    // Who awaits it has it; nobody may.
    this.#over.promise.catch(() => {});
  }

  /** Resolves once the sources may go on. @throws what `abandon` was called with */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Waits until one more file may be copied; whoever got in calls `release`. */
  async acquire(): Promise<void> {
    await this.#copies.acquire(1, this.#tasks);
  }

  release(): void {
    this.#copies.release(1);
  }

  /**
   * Copies an open file up to the size that its status told, or what changed of it since the pass before.
   * @param before what that pass saved of it
   * @throws Node's system errors when it cannot be read; HoldfastError `storage-full`
   */
  async copy(file: Descriptor, status: FileStatus, before: Node | undefined): Promise<AsideContent> {
    if (this.#standstill.purpose === 'look') return await this.#lookAhead(file, status, before);
    this.#files += 1;
    const fitsMemory = status.size <= mostBytesInMemory && this.#inMemoryBytes + status.size <= memoryBytes;
    if (fitsMemory) return this.#readToMemory(file, status.size);
    try {
      const known = this.#standstill.knownFiles?.take(status, before);
      if (known === undefined) return await this.#copyToStorage(file, status);
      return await this.#copyChangedBlocks(status, known);
    } catch (error) {
      throw storageError(error);
    }
  }

  /** To be called when the last file was given: waits for the copies, and then until the sources go on. */
  async complete(): Promise<void> {
    await this.#copies.acquire(copiesAtOnce, this.#tasks);
    const elapsedMs = performance.now() - this.#startedAt;
    await this.#standstill.setAside({ files: this.#files, bytes: this.#bytes, elapsedMs });
    this.#over.resolve();
  }

  abandon(error: unknown): void {
    this.#over.reject(error);
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
    rmSync(this.#path, { recursive: true, force: true });
  }

  #readToMemory(file: Descriptor, sizeBytes: number): AsideContent {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    const length = readUpTo(file.number, bytes, 0);
    this.#inMemoryBytes += sizeBytes;
    this.#bytes += length;
    return {
      weight: sizeBytes,
      save: async (saver) => {
        const content = length === 0 ? [] : [await saver.saveBlob('data', bytes.subarray(0, length))];
        this.#inMemoryBytes -= sizeBytes;
        return { content, size: length };
      },
    };
  }

  async #lookAhead(file: Descriptor, status: FileStatus, before: Node | undefined): Promise<AsideContent> {
    try {
      await this.#standstill.knownFiles?.lookAhead(file, { status, before }, this.#tasks);
    } catch (error) {
      throw storageError(error);
    }
    return {
      weight: 0,
      save: () =>
        Promise.reject(new HoldfastError('internal', 'Nothing is saved of what was only looked at.')),
    };
  }

  async #copyToStorage(file: Descriptor, status: FileStatus): Promise<AsideContent> {
    const { knownFiles, purpose } = this.#standstill;
    const name = toByteString(String(this.#files));
    using copy = createFileAt(this.#directory.number, name);
    const begunAt = performance.now();
    const copiedBytes = await copyContents(file.number, copy.number, status.size, this.#tasks);
    this.#bytes += copiedBytes;
    knownFiles?.timed(Math.min(copiedBytes, status.allocated), performance.now() - begunAt);
    const source = purpose === 'final' ? undefined : knownFiles?.hold(file, status);
    return {
      weight: status.size,
      save: async (saver) => {
        using wholeCopy = openFileAt(this.#directory.number, name);
        const saved = await saver.saveFile(wholeCopy.number, statusOf(wholeCopy.number));
        if (source !== undefined) await knownFiles?.learn(source, { wholeCopy, saved }, this.#tasks);
        return saved;
      },
    };
  }

  async #copyChangedBlocks(status: FileStatus, known: KnownFile): Promise<AsideContent> {
    const { knownFiles, purpose } = this.#standstill;
    if (knownFiles === undefined) throw new HoldfastError('internal', 'Nothing is known of files.');
    const moment = await knownFiles.look(known, status, this.#tasks);
    this.#bytes += moment.copiedBlocks * blockBytes;
    return {
      weight: status.size,
      save: async (saver) => {
        const file = new PatchedFile({ moment, printer: knownFiles.printer, blobs: this.#blobs });
        const saved = await saver.savePatched(file);
        if (purpose !== 'final') knownFiles.saved(moment, saved);
        return saved;
      },
    };
  }
}

/** A disk that is full is none of the source's failures: those are warnings. */
function storageError(error: unknown): unknown {
  if (!['ENOSPC', 'EDQUOT'].includes(systemErrorCode(error) ?? '')) return error;
  return new HoldfastError('storage-full', 'There is no room to set aside what changed.', {
    hint: 'Make room where the data directory of Holdfast is: what changes while a backup is read has to fit there.',
    cause: error,
  });
}
