import type { Abortable } from '@holdfast/base';
import type { BlobReader } from '../repository/blob-store.ts';
import type { IndexStore } from '../repository/index-store.ts';
import type { Repository } from '../repository/repository.ts';
import type { LostBlobs } from './lost-blobs.ts';
import type { PackSubset } from './pack-subset.ts';

export interface CheckProgress {
  /** With `readData`, trees are walked while packs are read, and only the packs are told. */
  readonly step: 'packs' | 'trees' | 'data';
  /** Packs listed, trees walked or packs read. */
  readonly done: number;
  /** Undefined where it is not known beforehand. */
  readonly total: number | undefined;
}

export interface CheckOptions extends Abortable {
  /** Read every pack whole and prove every blob, instead of trusting that files of the right size are sound. */
  readonly readData?: boolean | undefined;
  /** With `readData`: only these packs. */
  readonly dataSubset?: PackSubset | undefined;
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined;
}

/** What the steps of a check share. */
export interface CheckScope extends CheckOptions {
  readonly repository: Repository;
  /** The index files as they are now, read for this check alone. */
  readonly indexes: IndexStore;
  readonly blobs: BlobReader;
  readonly lost: LostBlobs;
}
