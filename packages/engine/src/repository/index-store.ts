import { type Abortable, type HoldfastError, isHoldfastError } from '@holdfast/base';
import type { IndexId } from '../format/ids.ts';
import { columnsOf, type IndexColumns } from '../format/index-columns.ts';
import { encodeIndexFile, type IndexedPack } from '../format/index-file.ts';
import { decodeIndexColumns } from '../format/index-scanner.ts';
import { damaged } from '../format/json.ts';
import { BlobIndex } from '../index/blob-index.ts';
import type { RepositoryLock } from './repository-lock.ts';
import type { SealedFiles } from './sealed-files.ts';

const listingAttempts = 5;

/** As many as restic puts into one index file: with them it stays below 8 MiB. */
export const maxIndexBlobs = 50_000;

/** How many index files are being read at a time. */
const filesAhead = 4;

interface ListedIndex {
  readonly id: IndexId;
  readonly sizeBytes: number;
}

export interface DamagedIndex {
  readonly id: IndexId;
  readonly error: HoldfastError;
}

export interface RefreshOptions extends Abortable {
  /** Told of each index file that cannot be read, which is then left out. Without it, one such file is an error. */
  readonly onDamaged?: ((damaged: DamagedIndex) => void) | undefined;
  /** Told of each index file that is read, before its packs are in `current`; of one that is read again, again. */
  readonly onLoaded?: ((id: IndexId, file: IndexColumns) => void) | undefined;
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
  /** True when `#current` may also have what files say that are not known: they may go without anybody noticing. */
  #isPartial = false;
  #unindexed: readonly UnindexedPack[] = [];
  #writing: Promise<void> = Promise.resolve();
  #refreshing: Promise<void> = Promise.resolve();

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
    const previous = this.#refreshing;
    const refreshed = (async () => {
      // Its failure was told to its own caller.
      await previous.catch(() => {});
      await this.#refresh(options);
    })();
    this.#refreshing = refreshed;
    await refreshed;
  }

  async #refresh(options: RefreshOptions): Promise<void> {
    for (let attempt = 0; attempt < listingAttempts; attempt += 1) {
      const files = await this.#files.list('index', options);
      const listed = new Set(files.map(({ id }) => id));
      const isGrown = !this.#isPartial && [...this.#known].every((id) => listed.has(id));
      if (isGrown && (await this.#extend(files, options))) return;
      if (await this.#rebuild(files, options)) return;
    }
    throw damaged('index', 'its files disappear while they are read');
  }

  /**
   * The same, for somebody who is going to write: packs that are not in an index file, and whose lock is not held any
   * more, may have been pruned, and count no more.
   */
  async refreshToWrite(options: Abortable = {}): Promise<void> {
    if (this.#unindexed.some(({ lock }) => !lock.isHeld)) this.clear();
    await this.refresh(options);
  }

  /** Forgets all that was read: the next `refresh` reads every index file. Only packs under a lock that is held stay. */
  clear(): void {
    this.#unindexed = this.#unindexed.filter(({ lock }) => lock.isHeld);
    this.#current = new BlobIndex();
    this.#known = new Set();
    this.#isPartial = false;
    for (const { pack } of this.#unindexed) this.#current.add(pack);
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
      await lock.confirm(options);
      const packs = takeUpTo(
        maxIndexBlobs,
        this.#unindexed.map(({ pack }) => pack),
      );
      const id = await this.#files.save('index', encodeIndexFile({ supersedes: [], packs }), options);
      this.#known = new Set([...this.#known, id]);
      const written = new Set(packs);
      this.#unindexed = this.#unindexed.filter(({ pack }) => !written.has(pack));
    }
  }

  /** Adds what the files have that are not known yet; false if that is not enough. */
  async #extend(files: readonly ListedIndex[], options: RefreshOptions): Promise<boolean> {
    const listed = new Set(files.map(({ id }) => id));
    const fresh = files.filter(({ id }) => !this.#known.has(id));
    const adding = new IndexAdding(this.#current, fresh);
    this.#isPartial = true;
    for await (const { id, columns } of this.#loadAll(fresh, options)) {
      if (columns === undefined || columns.supersedes.some((superseded) => listed.has(superseded)))
        return false;
      adding.add(id, columns);
    }
    this.#known = new Set([...this.#known, ...fresh.map(({ id }) => id)]);
    this.#isPartial = false;
    return true;
  }

  /** Makes the index anew from these files; false if one of them is gone. */
  async #rebuild(files: readonly ListedIndex[], options: RefreshOptions): Promise<boolean> {
    const listed = new Set(files.map(({ id }) => id));
    const superseded = new Set<IndexId>();
    for (let isSettled = false; !isSettled; ) {
      isSettled = true;
      const index = new BlobIndex();
      const counting = files.filter(({ id }) => !superseded.has(id));
      const adding = new IndexAdding(index, counting);
      for await (const { id, columns } of this.#loadAll(counting, options)) {
        if (columns === undefined) return false;
        // Superseded by one that was read meanwhile.
        if (superseded.has(id)) continue;
        adding.add(id, columns);
        for (const other of columns.supersedes) {
          if (!listed.has(other) || superseded.has(other)) continue;
          superseded.add(other);
          isSettled = false;
        }
      }
      for (const { pack } of this.#unindexed) index.add(pack);
      this.#current = index;
    }
    this.#known = listed;
    this.#isPartial = false;
    return true;
  }

  /** In their order, some read ahead; `columns` is undefined for one that is gone. */
  async *#loadAll(
    files: readonly ListedIndex[],
    options: RefreshOptions,
  ): AsyncGenerator<{ readonly id: IndexId; readonly columns: IndexColumns | undefined }, void> {
    const loading: { readonly id: IndexId; readonly columns: Promise<IndexColumns | undefined> }[] = [];
    const start = (file: ListedIndex | undefined): void => {
      if (file === undefined) return;
      const columns = this.#load(file.id, options);
      // A failure is told when its turn comes.
      columns.catch(() => {});
      loading.push({ id: file.id, columns });
    };
    try {
      for (const file of files.slice(0, filesAhead)) start(file);
      for (let next = filesAhead; ; next += 1) {
        const first = loading.shift();
        if (first === undefined) return;
        yield { id: first.id, columns: await first.columns };
        start(files[next]);
      }
    } finally {
      await Promise.allSettled(loading.map(({ columns }) => columns));
    }
  }

  async #load(id: IndexId, options: RefreshOptions): Promise<IndexColumns | undefined> {
    const { onDamaged, onLoaded, signal } = options;
    try {
      const document = await this.#files.load('index', id, { signal });
      const file = document && decodeIndexColumns(document, `index ${id}`);
      if (file !== undefined) onLoaded?.(id, file);
      return file;
    } catch (error) {
      if (onDamaged === undefined || !isHoldfastError(error, 'repository-damaged')) throw error;
      onDamaged({ id, error });
      return columnsOf({ supersedes: [], packs: [] });
    }
  }
}

/** Fills an index from files, with room for the blobs of all of them once it is known how large the first is. */
class IndexAdding {
  readonly #index: BlobIndex;
  readonly #sizes: ReadonlyMap<IndexId, number>;
  #isReserved = false;

  constructor(index: BlobIndex, files: readonly ListedIndex[]) {
    this.#index = index;
    this.#sizes = new Map(files.map(({ id, sizeBytes }) => [id, sizeBytes]));
  }

  add(id: IndexId, columns: IndexColumns): void {
    if (!this.#isReserved)
      this.#reserve(columns.blobCount / (this.#sizes.get(id) ?? Number.POSITIVE_INFINITY));
    this.#isReserved = true;
    this.#index.addColumns(columns);
  }

  #reserve(blobsPerByte: number): void {
    const totalBytes = [...this.#sizes.values()].reduce((total, sizeBytes) => total + sizeBytes, 0);
    this.#index.reserve(Math.round(totalBytes * blobsPerByte));
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
