import { type Abortable, type HoldfastError, isHoldfastError } from '@holdfast/base';
import type { IndexId } from '../format/ids.ts';
import { decodeIndexFile, encodeIndexFile, type IndexedPack, type IndexFile } from '../format/index-file.ts';
import { damaged } from '../format/json.ts';
import { BlobIndex } from '../index/blob-index.ts';
import type { RepositoryLock } from './repository-lock.ts';
import type { SealedFiles } from './sealed-files.ts';

const listingAttempts = 5;

/** As many as restic puts into one index file: with them it stays below 8 MiB. */
const maxIndexBlobs = 50_000;

export interface DamagedIndex {
  readonly id: IndexId;
  readonly error: HoldfastError;
}

export interface RefreshOptions extends Abortable {
  /** Told of each index file that cannot be read, which is then left out. Without it, one such file is an error. */
  readonly onDamaged?: ((damaged: DamagedIndex) => void) | undefined;
}

/** A pack on storage that no index file names yet: only the lock that it was written under keeps it from a prune. */
interface UnindexedPack {
  readonly pack: IndexedPack;
  readonly lock: RepositoryLock;
}

/** The index files of a repository, and the one index that they make together. */
export class IndexStore {
  readonly #files: SealedFiles;
  #current = new BlobIndex();
  /** The files that `#current` knows of: read, written, or superseded by one of those. */
  #known: ReadonlySet<IndexId> = new Set();
  #unindexed: readonly UnindexedPack[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(files: SealedFiles) {
    this.#files = files;
  }

  /** What was read and added so far. `refresh` may put another in its place. */
  get current(): BlobIndex {
    return this.#current;
  }

  /**
   * Brings `current` up to the index files that are there now.
   * @throws HoldfastError `repository-damaged` when an index file cannot be read
   */
  async refresh(options: RefreshOptions = {}): Promise<void> {
    for (let attempt = 0; attempt < listingAttempts; attempt += 1) {
      const ids = (await this.#files.list('index', options)).map(({ id }) => id);
      const listed = new Set(ids);
      const isGrown = [...this.#known].every((id) => listed.has(id));
      if (isGrown && (await this.#extend(ids, options))) return;
      if (await this.#rebuild(ids, options)) return;
    }
    throw damaged('index', 'its files disappear while they are read');
  }

  /**
   * The same, for somebody who is going to write: packs that are not in an index file, and whose lock is not held any
   * more, may have been pruned, and count no more.
   */
  async refreshToWrite(options: Abortable = {}): Promise<void> {
    const protectedPacks = this.#unindexed.filter(({ lock }) => lock.isHeld);
    if (protectedPacks.length < this.#unindexed.length) {
      this.#unindexed = protectedPacks;
      this.#current = new BlobIndex();
      this.#known = new Set();
      for (const { pack } of protectedPacks) this.#current.add(pack);
    }
    await this.refresh(options);
  }

  /** True when so many packs wait for an index file that it is time to write one. */
  get isWriteDue(): boolean {
    return this.#unindexed.reduce((blobs, { pack }) => blobs + pack.blobs.length, 0) >= maxIndexBlobs;
  }

  /** Takes note of a pack that is on stable storage. Its blobs are in `current` from now on. */
  add(pack: IndexedPack, lock: RepositoryLock): void {
    this.#current.add(pack);
    this.#unindexed = [...this.#unindexed, { pack, lock }];
  }

  /**
   * When it resolves, every pack that was added before is named by an index file on stable storage.
   * @throws HoldfastError `repository-lock-lost` when the lock is not held any more
   */
  async write(lock: RepositoryLock, options: Abortable = {}): Promise<void> {
    const previous = this.#writing;
    const written = (async () => {
      // Its failure was told to its own caller, and left its packs to this call.
      await previous.catch(() => {});
      await this.#writeUnindexed(lock, options);
    })();
    this.#writing = written;
    await written;
  }

  async #writeUnindexed(lock: RepositoryLock, options: Abortable): Promise<void> {
    while (this.#unindexed.length > 0) {
      const packs = takeUpTo(
        maxIndexBlobs,
        this.#unindexed.map(({ pack }) => pack),
      );
      lock.assertHeld();
      const id = await this.#files.save('index', encodeIndexFile({ supersedes: [], packs }), options);
      this.#known = new Set([...this.#known, id]);
      const written = new Set(packs);
      this.#unindexed = this.#unindexed.filter(({ pack }) => !written.has(pack));
    }
  }

  /** Adds what the files have that are not known yet; false if that is not enough. */
  async #extend(ids: readonly IndexId[], options: RefreshOptions): Promise<boolean> {
    const fresh = ids.filter((id) => !this.#known.has(id));
    for (const id of fresh) {
      const file = await this.#load(id, options);
      if (file === undefined || file.supersedes.some((superseded) => ids.includes(superseded))) return false;
      for (const pack of file.packs) this.#current.add(pack);
    }
    this.#known = new Set([...this.#known, ...fresh]);
    return true;
  }

  /** Makes the index anew from these files; false if one of them is gone. */
  async #rebuild(ids: readonly IndexId[], options: RefreshOptions): Promise<boolean> {
    const superseded = new Set<IndexId>();
    for (let isSettled = false; !isSettled; ) {
      isSettled = true;
      const index = new BlobIndex();
      for (const id of ids) {
        if (superseded.has(id)) continue;
        const file = await this.#load(id, options);
        if (file === undefined) return false;
        for (const pack of file.packs) index.add(pack);
        for (const other of file.supersedes) {
          if (!ids.includes(other) || superseded.has(other)) continue;
          superseded.add(other);
          isSettled = false;
        }
      }
      for (const { pack } of this.#unindexed) index.add(pack);
      this.#current = index;
    }
    this.#known = new Set(ids);
    return true;
  }

  async #load(id: IndexId, { onDamaged, signal }: RefreshOptions): Promise<IndexFile | undefined> {
    try {
      const document = await this.#files.load('index', id, { signal });
      return document === undefined ? undefined : decodeIndexFile(document, `index ${id}`);
    } catch (error) {
      if (onDamaged === undefined || !isHoldfastError(error, 'repository-damaged')) throw error;
      onDamaged({ id, error });
      return { supersedes: [], packs: [] };
    }
  }
}

/** The first packs, at least one, with no more blobs than that if possible. */
function takeUpTo(maxBlobs: number, packs: readonly IndexedPack[]): readonly IndexedPack[] {
  let blobs = 0;
  const end = packs.findIndex((pack, at) => {
    blobs += pack.blobs.length;
    return at > 0 && blobs > maxBlobs;
  });
  return end === -1 ? packs : packs.slice(0, end);
}
