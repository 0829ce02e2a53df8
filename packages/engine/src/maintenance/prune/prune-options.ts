import type { Abortable } from '@holdfast/base';
import type { SnapshotId } from '../../format/ids.ts';
import type { RepositoryLock } from '../../repository/repository-lock.ts';

/** How much of what nobody needs may stay after a prune: bytes, a share of all that stays, or any amount. */
export type MaxUnused = number | { readonly percent: number } | 'unlimited';

export interface PruneProgress {
  readonly step: 'snapshots' | 'trees' | 'packs' | 'repack' | 'index' | 'delete';
  /** Snapshots, trees, packs or files. */
  readonly done: number;
  /** Undefined where it is not known beforehand. */
  readonly total: number | undefined;
}

export interface PruneOptions extends Abortable {
  /** An exclusive one, that is held until the prune is executed or given up. */
  readonly lock: RepositoryLock;
  /** 5 % by default, as with restic. */
  readonly maxUnused?: MaxUnused | undefined;
  /** Packs are repacked only as long as their sizes together stay below this; no limit by default. */
  readonly maxRepackBytes?: number | undefined;
  /** Leave packs of file contents alone, unless nothing in them is needed. */
  readonly repackCacheableOnly?: boolean | undefined;
  /** Merge packs of less than 80 % of the usual size too, not only those that are very small. */
  readonly repackSmall?: boolean | undefined;
  /** Merge packs that are smaller than this; overrides `repackSmall`. */
  readonly repackSmallerThanBytes?: number | undefined;
  /** Compress what is stored without compression, as repositories of older programs have it. */
  readonly repackUncompressed?: boolean | undefined;
  /** Plan as if these snapshots were forgotten already. Such a plan cannot be executed. */
  readonly withoutSnapshots?: ReadonlySet<SnapshotId> | undefined;
  readonly onProgress?: ((progress: PruneProgress) => void) | undefined;
}
