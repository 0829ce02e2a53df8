import { isHoldfastError, throwIfAborted } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import type { PackId } from '../format/ids.ts';
import type { PackedBlob } from '../format/pack-header.ts';
import type { IndexedPackSize } from '../index/blob-index.ts';
import { openBlob } from '../pack/blob-seal.ts';
import { parsePackHeader } from '../pack/pack-reader.ts';
import type { CheckScope } from './check-scope.ts';
import type { Finding } from './finding.ts';

/** Reads every pack that the index names, and proves its name, its header and each of its blobs. */
export async function* checkData(scope: CheckScope): AsyncGenerator<Finding, void> {
  const packs = [...scope.indexes.current.packs()];
  const damagedPacks = new Map<PackId, string>();
  for (const [at, pack] of packs.entries()) {
    throwIfAborted(scope.signal);
    const file = await scope.repository.storage.backend.load({ kind: 'data', id: pack.id }, scope);
    // That it is gone was found before, from the listing.
    const reason = file === undefined ? undefined : damageOf(scope, pack, file);
    if (reason !== undefined) {
      damagedPacks.set(pack.id, reason);
      yield { severity: 'error', kind: 'pack-damaged', packId: pack.id, reason };
    }
    scope.onProgress?.({ step: 'data', done: at + 1, total: packs.length });
  }
  if (damagedPacks.size > 0) await noteLostBlobs(scope, damagedPacks);
}

/** What is wrong with the pack; undefined if nothing is. */
function damageOf(
  { repository, indexes }: CheckScope,
  pack: IndexedPackSize,
  file: Buffer,
): string | undefined {
  const { key } = repository.storage;
  const blobs = headerOf(file, pack.id, key);
  if (typeof blobs === 'string') return blobs;
  const isIndexed = (blob: PackedBlob): boolean =>
    indexes.current
      .findAll(blob.type, blob.id)
      .some(
        ({ packId, offset, length }) =>
          packId === pack.id && offset === blob.offset && length === blob.length,
      );
  for (const blob of blobs) {
    const sealed = file.subarray(blob.offset, blob.offset + blob.length);
    const plaintext = openBlob(key, blob.id, { sealed, uncompressedLength: blob.uncompressedLength });
    if (plaintext === undefined) return `the ${blob.type} blob ${blob.id} in it is damaged`;
    if (!isIndexed(blob)) return `no index names the ${blob.type} blob ${blob.id} in it`;
  }
  if (blobs.length !== pack.blobCount) return 'an index names blobs in it that it does not have';
  return sha256(file) === pack.id ? undefined : 'its contents do not match its name';
}

function headerOf(
  file: Buffer,
  id: PackId,
  key: CheckScope['repository']['storage']['key'],
): PackedBlob[] | string {
  try {
    return parsePackHeader(key, id, file);
  } catch (error) {
    if (isHoldfastError(error, 'repository-damaged')) return error.message;
    throw error;
  }
}

/** Reads each blob of the damaged packs by itself, as a restore would. */
async function noteLostBlobs(
  { indexes, blobs, lost, signal }: CheckScope,
  packs: ReadonlyMap<PackId, string>,
): Promise<void> {
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
