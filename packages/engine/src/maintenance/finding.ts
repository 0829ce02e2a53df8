import type { BlobType } from '../format/blob-type.ts';
import type { BlobId, IndexId, KeyId, PackId, SnapshotId } from '../format/ids.ts';

/** Where a snapshot's tree refers to something: `path` for people, within the snapshot, `/` for its top. */
export interface DamagedPath {
  readonly snapshotId: SnapshotId;
  readonly path: string;
}

/** What damage takes with it: the first so many paths, and whether there are more. */
export interface Affected {
  readonly paths: readonly DamagedPath[];
  readonly isComplete: boolean;
}

/** Something cannot be restored, or may soon not be. */
export type DamageFinding = { readonly severity: 'error' } & (
  | { readonly kind: 'key-damaged'; readonly keyId: KeyId; readonly reason: string }
  | { readonly kind: 'snapshot-damaged'; readonly snapshotId: SnapshotId; readonly reason: string }
  | { readonly kind: 'index-damaged'; readonly indexId: IndexId; readonly reason: string }
  | { readonly kind: 'pack-missing'; readonly packId: PackId }
  | {
      readonly kind: 'pack-size-wrong';
      readonly packId: PackId;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  | { readonly kind: 'pack-damaged'; readonly packId: PackId; readonly reason: string }
  | LostBlobFinding
);

/** A blob of which there is no sound copy, or (`tree-damaged`) a genuine one that holds no tree. */
export interface LostBlobFinding {
  readonly kind: 'blob-missing' | 'blob-damaged' | 'tree-damaged';
  readonly type: BlobType;
  readonly blobId: BlobId;
  readonly reason: string;
  readonly affected: Affected;
}

/** Harmless, such as what an interrupted backup leaves. */
export type NoteFinding = { readonly severity: 'note' } & {
  readonly kind: 'pack-unindexed';
  readonly packId: PackId;
  readonly sizeBytes: number;
  /** Blobs that an index made anew would find in it; undefined if its header cannot be read. */
  readonly blobCount: number | undefined;
};

export type Finding = DamageFinding | NoteFinding;
