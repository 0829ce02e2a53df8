import type { Abortable, Clock } from '@holdfast/base';
import type { Backend } from '../backend/backend.ts';
import { type ChunkerPolynomial, parsePolynomial } from '../chunker/polynomial.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import type { Config } from '../format/config.ts';
import { acquireLock, type LockOptions } from './acquire-lock.ts';
import { BlobSource } from './blob-source.ts';
import type { BlobReader, BlobWriter } from './blob-store.ts';
import { IndexStore } from './index-store.ts';
import { KeyStore, type OpenedKey } from './key-store.ts';
import { type LockKind, removeLocks } from './lock-conflict.ts';
import { PackWriter } from './pack-writer.ts';
import type { RepositoryLock } from './repository-lock.ts';
import type { Runtime } from './runtime.ts';
import { SealedFiles } from './sealed-files.ts';
import { type LockedOptions, SnapshotStore } from './snapshot-store.ts';

export interface RepositoryParts {
  readonly backend: Backend;
  readonly key: OpenedKey;
  readonly config: Config;
  readonly runtime: Runtime;
}

/** What maintenance needs beyond what everybody may do with a repository. */
export interface RepositoryStorage {
  readonly backend: Backend;
  readonly key: MasterKey;
  readonly files: SealedFiles;
  readonly indexes: IndexStore;
  readonly clock: Clock;
}

/**
 * An open repository. The order of work that is safe beside other processes:
 * - to write: take a shared lock, open a writer, save blobs, flush, save the snapshot;
 * - to read: take a shared lock, list snapshots, then `refreshIndex`, then read blobs.
 */
export class Repository {
  readonly id: string;
  readonly polynomial: ChunkerPolynomial;
  /** Knows no blob before the first `refreshIndex` or `openWriter`. */
  readonly blobs: BlobReader;
  readonly snapshots: SnapshotStore;
  readonly keys: KeyStore;
  readonly storage: RepositoryStorage;
  readonly #runtime: Runtime;

  /** @throws HoldfastError `repository-damaged` when the config's polynomial is not usable */
  constructor({ backend, key, config, runtime }: RepositoryParts) {
    this.id = config.id;
    this.polynomial = parsePolynomial(config.chunkerPolynomial);
    this.#runtime = runtime;
    const files = new SealedFiles(backend, key.masterKey);
    const indexes = new IndexStore(files);
    this.storage = { backend, key: key.masterKey, files, indexes, clock: runtime.clock };
    this.blobs = new BlobSource(this.storage);
    this.snapshots = new SnapshotStore(files, this.blobs);
    this.keys = new KeyStore(backend, key, runtime);
  }

  get location(): string {
    return this.storage.backend.location;
  }

  /**
   * @throws HoldfastError `repository-locked`, naming the holder, when another lock is in the way longer than `waitMs`
   */
  async lock(kind: LockKind, options: LockOptions = {}): Promise<RepositoryLock> {
    return await acquireLock({ files: this.storage.files, runtime: this.#runtime }, kind, options);
  }

  /** Removes locks whose holder is proven gone or, with `all`, every lock. Returns how many. */
  async unlock({ all = false, signal }: Abortable & { readonly all?: boolean } = {}): Promise<number> {
    return await removeLocks({ files: this.storage.files, runtime: this.#runtime }, { all, signal });
  }

  /**
   * Reads the index files that were not read yet.
   * @throws HoldfastError `repository-damaged`
   */
  async refreshIndex(options: Abortable = {}): Promise<void> {
    await this.storage.indexes.refresh(options);
  }

  /**
   * Reads the index before there is a lock, to do it beside the waiting for one: `openWriter` and `refreshIndex` then
   * read only what changed. Never rejects: what fails is tried again there.
   */
  async preloadIndex(options: Abortable = {}): Promise<void> {
    await this.refreshIndex(options).catch(() => {});
  }

  /**
   * Opens a writer, after reading the index: what the repository has under this lock is not stored again.
   * Everything that the writer does ends when `signal` fires or the lock is lost.
   */
  async openWriter({ lock, signal }: LockedOptions): Promise<BlobWriter> {
    lock.assertHeld();
    await this.storage.indexes.refreshToWrite({ signal });
    return new PackWriter({ ...this.storage, lock, clock: this.#runtime.clock, signal });
  }
}
