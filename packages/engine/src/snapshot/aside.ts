import { mkdtempSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskGroup } from '@holdfast/base';
import { copyContents } from '../filesystem/copy-contents.ts';
import { type FileStatus, statusOf } from '../filesystem/file-status.ts';
import { createFileAt, type Descriptor, openFileAt, openTrustedDirectory } from '../filesystem/open.ts';
import { toByteString } from '../format/byte-string.ts';
import type { FileSaver, SavedContent } from './file-saver.ts';
import type { Standstill } from './standstill.ts';
import { WeightedLimiter } from './weighted-limiter.ts';

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

/** Keeps copies of files while their sources stand still, and knows when that is over. */
export class Aside implements Disposable {
  readonly #standstill: Standstill;
  readonly #tasks: TaskGroup;
  readonly #copies = new WeightedLimiter(copiesAtOnce);
  readonly #over = Promise.withResolvers<void>();
  readonly #path: string;
  readonly #directory: Descriptor;
  readonly #startedAt = performance.now();
  #inMemoryBytes = 0;
  #files = 0;
  #bytes = 0;

  constructor(standstill: Standstill, tasks: TaskGroup) {
    this.#standstill = standstill;
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

  /** Copies an open file up to the size that its status told. @throws Node's system errors */
  async copy(file: Descriptor, status: FileStatus): Promise<AsideContent> {
    this.#files += 1;
    this.#bytes += status.size;
    const fitsMemory = status.size <= mostBytesInMemory && this.#inMemoryBytes + status.size <= memoryBytes;
    return fitsMemory ? this.#readToMemory(file, status.size) : await this.#copyToStorage(file, status);
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
    let length = 0;
    for (let read = -1; read !== 0 && length < sizeBytes; length += read) {
      read = readSync(file.number, bytes, length, sizeBytes - length, length);
    }
    this.#inMemoryBytes += sizeBytes;
    return {
      weight: sizeBytes,
      save: async (saver) => {
        const content = length === 0 ? [] : [await saver.saveBlob('data', bytes.subarray(0, length))];
        this.#inMemoryBytes -= sizeBytes;
        return { content, size: length };
      },
    };
  }

  async #copyToStorage(file: Descriptor, status: FileStatus): Promise<AsideContent> {
    const name = toByteString(String(this.#files));
    using copy = createFileAt(this.#directory.number, name);
    await copyContents(file.number, copy.number, status.size, this.#tasks);
    return {
      weight: status.size,
      save: async (saver) => {
        using stored = openFileAt(this.#directory.number, name);
        return await saver.saveFile(stored.number, statusOf(stored.number));
      },
    };
  }
}
