import type { SnapshotId } from '../format/ids.ts';
import type { Repository } from '../repository/repository.ts';
import type { LockedOptions } from '../repository/snapshot-store.ts';

export interface ForgetResult {
  readonly removed: readonly SnapshotId[];
  /** Were not there any more. */
  readonly missing: readonly SnapshotId[];
}

/**
 * Removes snapshots one by one, in the order given. Their blobs stay until a prune, so a shared lock is enough.
 * @throws HoldfastError `repository-lock-lost`: what was removed until then stays removed
 */
export async function forgetSnapshots(
  repository: Repository,
  ids: readonly SnapshotId[],
  options: LockedOptions,
): Promise<ForgetResult> {
  const removed: SnapshotId[] = [];
  const missing: SnapshotId[] = [];
  for (const id of ids) {
    const wasThere = await repository.snapshots.remove(id, options);
    (wasThere ? removed : missing).push(id);
  }
  return { removed, missing };
}
