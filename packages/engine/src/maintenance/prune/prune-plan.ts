import type { PackId } from '../../format/ids.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import type { RepositoryLock } from '../../repository/repository-lock.ts';
import type { IndexNotes } from './index-notes.ts';
import type { PackToRepack } from './repacker.ts';

/** What a prune found, and what it is going to do. Sizes are those of blobs in packs, in bytes. */
export interface PruneFigures {
  /** How many snapshots were read. */
  readonly snapshots: number;
  readonly packs: {
    /** Stay as they are. */
    readonly kept: number;
    /** Hold nothing that is needed, and go. */
    readonly removed: number;
    /** What is needed of them is copied into new packs, and they go. */
    readonly repacked: number;
    /** Named by no index, as an interrupted backup leaves them; they go. */
    readonly unreferenced: number;
    /** Named by an index, not needed, and not there: the index forgets them. */
    readonly missing: number;
  };
  readonly blobs: {
    readonly used: number;
    /** Not needed, with the duplicates. */
    readonly unused: number;
    /** Further copies of needed blobs. */
    readonly duplicate: number;
    /** Copied into new packs. */
    readonly repacked: number;
  };
  readonly bytes: {
    readonly used: number;
    readonly unused: number;
    readonly duplicate: number;
    /** Of unreferenced packs. */
    readonly unreferenced: number;
    /** Of blobs that are copied into new packs. */
    readonly repacked: number;
    /** How much smaller the packs will be together. */
    readonly freed: number;
    /** Of all packs afterwards. */
    readonly remaining: number;
    /** What nobody needs and stays nevertheless, as `maxUnused` and `maxRepackBytes` allow. */
    readonly unusedAfter: number;
  };
}

export interface PackOnStorage {
  readonly id: PackId;
  readonly sizeBytes: number;
}

/** What is to be done; nothing of it is public. */
export interface PruneWork {
  readonly repository: Repository;
  readonly lock: RepositoryLock;
  readonly index: BlobIndex;
  readonly indexNotes: IndexNotes;
  /** By the number of the pack in the index: see `packFate`. */
  readonly fates: Uint8Array;
  /** True when there are packs that the indexes must name no more. */
  readonly forgetsPacks: boolean;
  readonly repackCount: number;
  readonly toRepack: () => Iterable<PackToRepack>;
  readonly toRemove: readonly PackOnStorage[];
}

/**
 * What a prune is going to do. It holds as long as the exclusive lock does that it was made under, and is executed at
 * most once, by `executePrune`.
 */
export class PrunePlan {
  readonly figures: PruneFigures;
  /** True where nothing would change. */
  readonly isEmpty: boolean;
  #work: PruneWork | undefined;

  /** @param work undefined for a plan that only shows what would be */
  constructor(figures: PruneFigures, work: PruneWork | undefined) {
    const { removed, repacked, unreferenced, missing } = figures.packs;
    this.figures = figures;
    this.isEmpty = removed + repacked + unreferenced + missing === 0;
    this.#work = work;
  }

  /** Undefined when it was taken before. For `executePrune` alone. */
  takeWork(): PruneWork | undefined {
    const work = this.#work;
    this.#work = undefined;
    return work;
  }
}
