import { HoldfastError, isHoldfastError } from '@holdfast/base';
import {
  affectedSnapshots,
  type Drift,
  type DriftResult,
  dropFromIndex,
  findDrift,
  lockRepository,
  openAtLocation,
  type Repository,
  type Snapshot,
} from '@holdfast/engine';
import type { InspectedBackup, InspectTask } from '@holdfast/protocol';
import { setPriority } from './capture/priority.ts';
import { type LostPaths, lostOf } from './inspection/lost-of-backup.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

const noDrift: Drift = { packs: [], indexes: [], snapshots: [] };

/**
 * Tells which backups lost what. Once that was noted (`commit`), the index forgets packs that are lost, so that the next
 * backup stores again what it still finds.
 */
export async function runInspectTask(task: InspectTask, context: TaskContext): Promise<void> {
  setPriority('background');
  await context.waitForGo();
  const repository = await openAtLocation(task.repository, context);
  const { packs, indexes } = await lookAtBackups(task, repository, context);
  await context.sealAndWaitForCommit();
  context.committed(null, null);
  if (packs.length === 0) return;
  if (indexes.length > 0) {
    context.warn(
      'The index still names what is lost: as long as a part of it cannot be read, it is not changed.',
    );
    return;
  }
  await forgetPacks(repository, packs, context);
}

async function lookAtBackups(
  task: InspectTask,
  repository: Repository,
  context: TaskContext,
): Promise<Pick<Drift, 'packs' | 'indexes'>> {
  await using locked = await lockRepository(repository, waitingForLock(context));
  const { signal } = locked;
  const result = await findDrift(repository, { signal });
  requireStorage(result);
  const drift = result.kind === 'found' ? result.drift : noDrift;
  tellOfDrift(drift, context);
  const snapshots = await listSnapshots(task, repository, { signal });
  const paths: LostPaths = new Map(
    result.kind === 'found' || task.isThorough
      ? (await affectedSnapshots(repository, drift, snapshots, { signal })).map((each) => [
          each.id,
          each.paths,
        ])
      : [],
  );
  const found = lostOf(task.backups, snapshots, paths);
  for (const backup of found.damaged) tellOfBackup(backup, context);
  for (const { id, tags } of found.others) {
    context.warn(
      `Snapshot ${id} (${tags.join(', ') || 'no tags'}), of no backup that is known, has lost contents.`,
    );
  }
  if (found.damaged.length === 0 && result.kind === 'none') context.info('Nothing is missing');
  return drift;
}

/** A disk that is not mounted looks as if all was gone: nothing must be forgotten for that. */
function requireStorage(result: DriftResult): void {
  if (result.kind === 'none' || result.packCount === 0) return;
  const missing = result.drift.packs.filter(({ kind }) => kind === 'missing');
  if (missing.length < result.packCount) return;
  throw new HoldfastError(
    'vault-missing',
    `The repository is there, and all ${result.packCount} of its packs are not.`,
    { hint: 'Is a disk of the vault not mounted, or a folder of it empty? Nothing was changed.' },
  );
}

function tellOfDrift({ packs, indexes, snapshots }: Drift, context: TaskContext): void {
  const missing = packs.filter(({ kind }) => kind === 'missing').length;
  if (missing > 0) context.warn(`Packs that the index names are missing: ${missing}.`);
  const resized = packs.length - missing;
  if (resized > 0) context.warn(`Packs that have another size than the index says: ${resized}.`);
  for (const { id } of indexes) {
    context.warn(
      `The index ${id} cannot be read: what it alone names counts as lost until somebody repairs it.`,
    );
  }
  for (const snapshot of snapshots) {
    if (snapshot.kind === 'damaged') context.warn(`The snapshot ${snapshot.id} cannot be read.`);
  }
}

function tellOfBackup(backup: InspectedBackup, context: TaskContext): void {
  context.inspected(backup);
  const lost = backup.lost.map(({ part, paths }) => {
    const what = part ?? 'its manifest';
    return paths.length === 0 ? what : `${what} (such as ${paths.join(', ')})`;
  });
  context.warn(`The backup ${backup.backupId} has lost ${lost.join('; ')}.`);
}

/** What changes its manifest meanwhile writes the new one before it removes the old: seen twice, one is seen. */
async function listSnapshots(
  { backups }: InspectTask,
  repository: Repository,
  options: { readonly signal: AbortSignal },
): Promise<readonly Snapshot[]> {
  const { snapshots } = await repository.snapshots.list(options);
  if (lostOf(backups, snapshots, new Map()).damaged.length === 0) return snapshots;
  const again = (await repository.snapshots.list(options)).snapshots;
  return [...new Map([...snapshots, ...again].map((snapshot) => [snapshot.id, snapshot])).values()];
}

async function forgetPacks(
  repository: Repository,
  packs: Drift['packs'],
  context: TaskContext,
): Promise<void> {
  const { signal } = context;
  try {
    await using locked = await lockRepository(repository, { ...waitingForLock(context), kind: 'exclusive' });
    const { packsDropped } = await dropFromIndex(
      repository,
      packs.map(({ id }) => id),
      { lock: locked.lock, signal },
    );
    context.info(
      `The index names ${packsDropped} packs no more: the next backup stores again what it still finds`,
    );
  } catch (error) {
    if (!isHoldfastError(error, 'repository-locked')) throw error;
    context.warn(`The index still names what is lost: ${error.message}`);
  }
}
