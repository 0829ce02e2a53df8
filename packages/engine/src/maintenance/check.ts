import { TaskGroup } from '@holdfast/base';
import { BlobSource } from '../repository/blob-source.ts';
import { IndexStore } from '../repository/index-store.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot-store.ts';
import { affectedPaths } from './affected-paths.ts';
import { checkData, noteLostBlobs } from './check-data.ts';
import { checkKeys } from './check-keys.ts';
import { checkPacks } from './check-packs.ts';
import type { CheckOptions, CheckScope } from './check-scope.ts';
import { checkTrees } from './check-trees.ts';
import type { Affected, Finding } from './finding.ts';
import { type LostBlob, LostBlobs } from './lost-blobs.ts';

/**
 * Checks that every snapshot can be restored: all its trees read, all their blobs in an index, all packs there with
 * the right size and, with `readData`, every byte proven. Damage is a finding, never an error; what is thrown is a
 * storage that does not answer. To be run under a lock, a shared one at least.
 */
export async function* checkRepository(
  repository: Repository,
  options: CheckOptions = {},
): AsyncGenerator<Finding, void> {
  const { signal } = options;
  yield* checkKeys(repository, options);
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  for (const { id, error } of damaged) {
    yield { severity: 'error', kind: 'snapshot-damaged', snapshotId: id, reason: error.message };
  }
  const indexes = new IndexStore(repository.storage.files);
  const damagedIndexes: Finding[] = [];
  await indexes.refresh({
    signal,
    onDamaged: ({ id, error }) => {
      damagedIndexes.push({ severity: 'error', kind: 'index-damaged', indexId: id, reason: error.message });
    },
  });
  yield* damagedIndexes;

  const blobs = new BlobSource({ ...repository.storage, indexes });
  const scope: CheckScope = { ...options, repository, indexes, blobs, lost: new LostBlobs() };
  yield* checkPacks(scope);
  if (options.readData) yield* checkTreesAndData(scope, snapshots);
  else await checkTrees(scope, snapshots);
  if (scope.lost.isEmpty) return;
  const affected = await affectedPaths(scope, snapshots);
  for (const blob of scope.lost.all()) yield lostFinding(blob, affected(blob));
}

/** Both at once: trees are this thread's work, and packs that of the others. */
async function* checkTreesAndData(
  scope: CheckScope,
  snapshots: readonly Snapshot[],
): AsyncGenerator<Finding, void> {
  await using tasks = new TaskGroup(scope);
  const { signal } = tasks;
  // How many packs there are is known: theirs is the progress that is told.
  const readingTrees = tasks.start(checkTrees({ ...scope, signal, onProgress: undefined }, snapshots));
  const damagedPacks = yield* checkData({ ...scope, signal });
  await readingTrees;
  await noteLostBlobs(scope, damagedPacks);
}

function lostFinding(blob: LostBlob, affected: Affected): Finding {
  const { kind, type, id, reason } = blob;
  return { severity: 'error', kind, type, blobId: id, reason, affected };
}
