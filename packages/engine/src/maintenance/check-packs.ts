import { isHoldfastError } from '@holdfast/base';
import { asId } from '../format/id-codec.ts';
import type { PackId } from '../format/ids.ts';
import { type PackToRead, readPackHeader } from '../pack/pack-reader.ts';
import type { CheckScope } from './check-scope.ts';
import type { Finding } from './finding.ts';

/** Compares the packs that the index names with those that are there. */
export async function* checkPacks(scope: CheckScope): AsyncGenerator<Finding, void> {
  const index = scope.indexes.current;
  const expected = new Map([...index.packs()].map(({ id, sizeBytes }) => [id, sizeBytes]));
  const total = expected.size;
  let done = 0;
  for await (const { id: name, sizeBytes } of scope.repository.storage.backend.list('data', scope)) {
    const packId = asId<PackId>(name);
    const expectedBytes = expected.get(packId);
    expected.delete(packId);
    scope.onProgress?.({ step: 'packs', done: ++done, total });
    if (expectedBytes === undefined) {
      yield await unindexed(scope, { id: packId, sizeBytes });
    } else if (expectedBytes !== sizeBytes) {
      yield { severity: 'error', kind: 'pack-size-wrong', packId, expectedBytes, actualBytes: sizeBytes };
    }
  }
  const missing = new Set(expected.keys());
  for (const packId of missing) yield { severity: 'error', kind: 'pack-missing', packId };
  if (missing.size > 0) noteLostBlobs(scope, missing);
}

function noteLostBlobs({ indexes, lost }: CheckScope, missing: ReadonlySet<PackId>): void {
  for (const { type, id, packId } of indexes.current.blobs()) {
    if (!missing.has(packId)) continue;
    const copies = indexes.current.findAll(type, id);
    if (!copies.every((copy) => missing.has(copy.packId))) continue;
    lost.add({ kind: 'blob-missing', type, id, reason: `its pack ${packId} is gone` });
  }
}

async function unindexed(scope: CheckScope, pack: PackToRead): Promise<Finding> {
  const { backend, key } = scope.repository.storage;
  const note = {
    severity: 'note',
    kind: 'pack-unindexed',
    packId: pack.id,
    sizeBytes: pack.sizeBytes,
  } as const;
  try {
    return { ...note, blobCount: (await readPackHeader(backend, key, pack, scope)).length };
  } catch (error) {
    if (isHoldfastError(error, 'repository-damaged')) return { ...note, blobCount: undefined };
    throw error;
  }
}
