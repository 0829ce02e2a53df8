import { HoldfastError, throwIfAborted } from '@holdfast/base';
import {
  affectedSnapshots,
  findDrift,
  type LockedRepository,
  openToRead,
  type Snapshot,
} from '@holdfast/engine';
import type { AdoptTask, FoundBackup } from '@holdfast/protocol';
import { adoptSnapshots } from './adopt/adopt-snapshots.ts';
import { adoptedId, describeSnapshot, isStock } from './adopt/adopted-backup.ts';
import { ensureKey } from './ensure-key.ts';
import { findBackups } from './find-backups.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

/**
 * Makes a backup of each snapshot that stock restic has made, and tells every one that is there then. Nothing of its owner's
 * is changed or removed, and no contents are copied: a part refers to the trees that the snapshot refers to.
 *
 * @throws HoldfastError `repository-exists` where it holds backups of another environment; `repository-empty`;
 *   `repository-damaged` where no snapshot can be restored whole
 */
export async function runAdoptTask(task: AdoptTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using locked = await openToRead(task.repository, waitingForLock(context));
  const { repository, signal } = locked;
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  // Once more: of what was listed, all is known then.
  await repository.refreshIndex({ signal });
  for (const { id } of damaged) context.warn(`The snapshot ${id} cannot be read: it is left out.`);

  const found = await findBackups(snapshots, { repository, context, signal });
  requireOwn(found, task);
  const stock = snapshots.filter(isStock);
  if (stock.length + found.length + damaged.length === 0) throw emptyRepository(task);
  const known = new Set<string>(found.map(({ manifest }) => manifest.backupId));
  const fresh = stock.filter((snapshot) => !known.has(adoptedId(task, snapshot)));
  const whole = await wholeOf(fresh, locked, context);
  if (whole.length === 0 && found.length === 0) throw nothingWhole(task);

  if (task.isDryRun) {
    for (const snapshot of whole) context.info(`Would be a backup: ${describeSnapshot(snapshot)}`);
    context.info(`Snapshots that would be taken in: ${whole.length}; backups already: ${found.length}`);
    return;
  }
  for (const password of [task.ownPassword, task.recoveryPassword]) {
    await ensureKey(repository, { ...task.repository, password }, context);
  }
  for (const backup of found) context.backup(backup);
  throwIfAborted(signal);
  await adoptSnapshots(whole, snapshots, { task, context, locked });
  context.info(`Snapshots taken in: ${whole.length}; backups already: ${found.length}`);
}

/** Those of which all trees can be read, and all contents lie in packs that are there as their index says. */
async function wholeOf(
  snapshots: readonly Snapshot[],
  { repository, signal }: LockedRepository,
  context: TaskContext,
): Promise<readonly Snapshot[]> {
  if (snapshots.length === 0) return [];
  const result = await findDrift(repository, { signal });
  const packs = result.kind === 'found' ? result.drift.packs : [];
  const affected = await affectedSnapshots(repository, { packs }, snapshots, { signal });
  const examples = new Map(affected.map(({ id, paths }) => [id, paths]));
  return snapshots.filter((snapshot) => {
    const paths = examples.get(snapshot.id);
    if (paths === undefined) return true;
    context.warn(
      `It cannot be restored whole (such as ${paths.join(', ')}), and is left out: ${describeSnapshot(snapshot)}`,
    );
    return false;
  });
}

function requireOwn(found: readonly FoundBackup[], { environment, repository }: AdoptTask): void {
  const other = found.find(({ manifest }) => manifest.environment.id !== environment.id);
  if (other === undefined) return;
  const { name } = other.manifest.environment;
  throw new HoldfastError(
    'repository-exists',
    `${repository.location} is a repository of Holdfast's already, with backups of the environment ${name}.`,
    {
      hint: 'Take it in as it is: holdfast vault:adopt VAULT, without naming the folder.',
      context: { location: repository.location, environmentName: name },
    },
  );
}

function emptyRepository({ repository: { location } }: AdoptTask): HoldfastError {
  return new HoldfastError('repository-empty', `The repository ${location} has no snapshot.`, {
    hint: 'Is it the right one? Otherwise back something up into it first: restic backup PATH.',
    context: { location },
  });
}

function nothingWhole({ repository: { location } }: AdoptTask): HoldfastError {
  return new HoldfastError('repository-damaged', `No snapshot of ${location} can be restored whole.`, {
    hint: 'restic check says what is wrong, and restic repair mends what can be mended. Then adopt it again.',
    context: { location },
  });
}
