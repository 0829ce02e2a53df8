import { isHoldfastError, throwIfAborted } from '@holdfast/base';
import type { PackId } from '../format/ids.ts';
import type { PackedBlob } from '../format/pack-header.ts';
import type { IndexedPackSize } from '../index/blob-index.ts';
import type { IndexStore } from '../repository/index-store.ts';
import { BlobOpening } from '../workers/blob-opening.ts';
import type { CheckScope } from './check-scope.ts';
import type { Finding } from './finding.ts';
import { selectPacks } from './pack-subset.ts';

/**
 * Reads every pack that the index names, or those of the subset, and proves its name, its header and each of its blobs.
 * Returns what is wrong with each pack that is not sound.
 */
export async function* checkData(scope: CheckScope): AsyncGenerator<Finding, ReadonlyMap<PackId, string>> {
  const allPacks = [...scope.indexes.current.packs()];
  const packs = scope.dataSubset === undefined ? allPacks : selectPacks(allPacks, scope.dataSubset);
  const damagedPacks = new Map<PackId, string>();
  await using opening = new BlobOpening(scope.repository.storage.key);
  let done = 0;
  for await (const { pack, reason } of proveAll(scope, packs, opening)) {
    if (reason !== undefined) {
      damagedPacks.set(pack.id, reason);
      yield { severity: 'error', kind: 'pack-damaged', packId: pack.id, reason };
    }
    scope.onProgress?.({ step: 'data', done: ++done, total: packs.length });
  }
  return damagedPacks;
}

interface ProvenPack {
  readonly pack: IndexedPackSize;
  /** What is wrong with it; undefined if nothing is. */
  readonly reason: string | undefined;
}

/** Several packs at a time, in their order. */
async function* proveAll(
  scope: CheckScope,
  packs: readonly IndexedPackSize[],
  opening: BlobOpening,
): AsyncGenerator<ProvenPack, void> {
  const underWay: Promise<ProvenPack>[] = [];
  try {
    for (const pack of packs) {
      throwIfAborted(scope.signal);
      const proving = prove(scope, pack, opening);
      // Its failure comes out where it is awaited.
      proving.catch(() => {});
      underWay.push(proving);
      if (underWay.length > opening.callsAtOnce) yield* first(underWay);
    }
    while (underWay.length > 0) yield* first(underWay);
  } finally {
    await Promise.allSettled(underWay);
  }
}

async function* first(underWay: Promise<ProvenPack>[]): AsyncGenerator<ProvenPack, void> {
  const proving = underWay.shift();
  if (proving !== undefined) yield await proving;
}

async function prove(
  { indexes, repository, signal }: CheckScope,
  pack: IndexedPackSize,
  opening: BlobOpening,
): Promise<ProvenPack> {
  const file = await repository.storage.backend.load({ kind: 'data', id: pack.id }, { signal });
  // That it is gone was found before, from the listing.
  if (file === undefined) return { pack, reason: undefined };
  const proof = await opening.provePack({ id: pack.id, pack: file });
  return { pack, reason: 'reason' in proof ? proof.reason : differenceOf(indexes, pack, proof.blobs) };
}

/** What the index says of a sound pack that is not so. */
function differenceOf(
  indexes: IndexStore,
  pack: IndexedPackSize,
  blobs: readonly PackedBlob[],
): string | undefined {
  const isIndexed = (blob: PackedBlob): boolean =>
    indexes.current
      .findAll(blob.type, blob.id)
      .some(
        ({ packId, offset, length }) =>
          packId === pack.id && offset === blob.offset && length === blob.length,
      );
  const unknown = blobs.find((blob) => !isIndexed(blob));
  if (unknown !== undefined) return `no index names the ${unknown.type} blob ${unknown.id} in it`;
  return blobs.length === pack.blobCount ? undefined : 'an index names blobs in it that it does not have';
}

/** Reads each blob of the damaged packs by itself, as a restore would. */
export async function noteLostBlobs(
  { indexes, blobs, lost, signal }: CheckScope,
  packs: ReadonlyMap<PackId, string>,
): Promise<void> {
  if (packs.size === 0) return;
  for (const { type, id, packId } of indexes.current.blobs()) {
    const reason = packs.get(packId);
    if (reason === undefined) continue;
    throwIfAborted(signal);
    try {
      await blobs.readBlob(type, id, { signal });
    } catch (error) {
      if (!isHoldfastError(error, 'blob-damaged')) throw error;
      lost.add({ kind: 'blob-damaged', type, id, reason });
    }
  }
}
