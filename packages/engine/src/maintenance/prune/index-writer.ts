import type { Abortable } from '@holdfast/base';
import { encodeIndexFile, type IndexedPack } from '../../format/index-file.ts';
import { maxIndexBlobs } from '../../repository/index-store.ts';
import type { RepositoryLock } from '../../repository/repository-lock.ts';
import type { SealedFiles } from '../../repository/sealed-files.ts';

/** Writes index files, each as soon as it is full. Every one stands for itself: none supersedes another. */
export class IndexWriter {
  readonly #files: SealedFiles;
  readonly #lock: RepositoryLock;
  #packs: IndexedPack[] = [];
  #blobCount = 0;
  #fileCount = 0;

  constructor(files: SealedFiles, lock: RepositoryLock) {
    this.#files = files;
    this.#lock = lock;
  }

  get fileCount(): number {
    return this.#fileCount;
  }

  /** @throws HoldfastError `repository-lock-lost` */
  async add(pack: IndexedPack, options: Abortable): Promise<void> {
    if (this.#blobCount + pack.blobs.length > maxIndexBlobs) await this.flush(options);
    this.#packs.push(pack);
    this.#blobCount += pack.blobs.length;
    if (this.#blobCount >= maxIndexBlobs) await this.flush(options);
  }

  /** When it resolves, all that was added is in index files on stable storage. */
  async flush({ signal }: Abortable): Promise<void> {
    if (this.#packs.length === 0) return;
    const packs = this.#packs;
    this.#packs = [];
    this.#blobCount = 0;
    await this.#lock.confirm({ signal });
    await this.#files.save('index', encodeIndexFile({ supersedes: [], packs }), { signal });
    this.#fileCount += 1;
  }
}
