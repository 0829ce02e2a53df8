import { type Abortable, throwIfAborted } from '@holdfast/base';
import { asId } from '../../format/id-codec.ts';
import type { PackId, SnapshotId, TreeId } from '../../format/ids.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import { type DamagedIndex, IndexStore } from '../../repository/index-store.ts';
import type { Repository } from '../../repository/repository.ts';
import type { DamagedSnapshot } from '../../repository/snapshot-store.ts';

/** A pack that an index names, and that is not as the index says. */
export type DriftedPack =
  | { readonly kind: 'missing'; readonly id: PackId }
  | {
      readonly kind: 'size-wrong';
      readonly id: PackId;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    };

/** A snapshot that is not read any more: its file cannot be, or no index names its tree, as where an index was removed. */
export type DriftedSnapshot =
  | ({ readonly kind: 'damaged' } & DamagedSnapshot)
  | { readonly kind: 'tree-unknown'; readonly id: SnapshotId; readonly treeId: TreeId };

/** What somebody removed or changed behind our back. */
export interface Drift {
  readonly packs: readonly DriftedPack[];
  readonly indexes: readonly DamagedIndex[];
  readonly snapshots: readonly DriftedSnapshot[];
}

/** `packCount`: of packs that the indexes name. Where most of those are missing, it is rather their disk that is. */
export type DriftResult =
  | { readonly kind: 'none'; readonly packCount: number }
  | { readonly kind: 'found'; readonly packCount: number; readonly drift: Drift };

/**
 * Compares what the indexes name with a listing of the packs. Reads indexes and snapshots, through a cache if there is
 * one, and nothing else: contents that changed in place and kept their size are for a check to find. A pack that no
 * index names is no drift: a backup under way writes such, and one that was cut off leaves them. Changes nothing.
 *
 * To be run under a lock, a shared one at least: a prune would be found as drift.
 *
 * @throws HoldfastError where the storage does not answer; never for damage
 */
export async function findDrift(repository: Repository, { signal }: Abortable = {}): Promise<DriftResult> {
  // A snapshot is saved after its index, and an index after its packs: each is read before what it names.
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  const indexes: DamagedIndex[] = [];
  // Read for this alone: that one could not be read must not be forgotten by who reads it next.
  const store = new IndexStore(repository.storage.files);
  await store.refresh({ signal, onDamaged: (index) => indexes.push(index) });
  const index = store.current;
  const packs = await driftedPacks(repository, index, { signal });
  const drift: Drift = {
    packs,
    indexes,
    snapshots: [
      ...damaged.map((snapshot) => ({ kind: 'damaged', ...snapshot }) as const),
      ...snapshots
        .filter(({ tree }) => !index.has('tree', tree))
        .map(({ id, tree }) => ({ kind: 'tree-unknown', id, treeId: tree }) as const),
    ],
  };
  const isSound = packs.length + drift.indexes.length + drift.snapshots.length === 0;
  const { packCount } = index;
  return isSound ? { kind: 'none', packCount } : { kind: 'found', packCount, drift };
}

/** The packs that the index names, and that are not there with the size that it says. */
export async function driftedPacks(
  repository: Repository,
  index: BlobIndex,
  { signal }: Abortable,
): Promise<DriftedPack[]> {
  const expected = index.packSizes();
  const isThere = new Uint8Array(index.packCount);
  const packs: DriftedPack[] = [];
  for await (const { id: name, sizeBytes } of repository.storage.backend.list('data', { signal })) {
    throwIfAborted(signal);
    const id = asId<PackId>(name);
    const pack = index.packNumber(id);
    if (pack === -1) continue;
    isThere[pack] = 1;
    const expectedBytes = expected[pack] ?? 0;
    if (sizeBytes !== expectedBytes) {
      packs.push({ kind: 'size-wrong', id, expectedBytes, actualBytes: sizeBytes });
    }
  }
  for (const [pack, there] of isThere.entries()) {
    if (there === 0) packs.push({ kind: 'missing', id: index.packIdAt(pack) });
  }
  return packs;
}
