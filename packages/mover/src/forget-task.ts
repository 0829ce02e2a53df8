import { throwIfAborted } from '@holdfast/base';
import { forgetSnapshots, lockRepository, openAtLocation, type Snapshot } from '@holdfast/engine';
import { type ForgetTask, snapshotTags } from '@holdfast/protocol';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

/**
 * Removes all snapshots of backups, one backup after the other, of each the manifest first: what is cut off in between is
 * debris, never a backup that lacks a part. A backup that was begun is brought to its end, whoever cancels.
 */
export async function runForgetTask(task: ForgetTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  const opened = await openAtLocation(task.repository, context);
  await using locked = await lockRepository(opened, waitingForLock(context));
  const { repository, lock } = locked;
  const { snapshots, damaged } = await repository.snapshots.list({ signal: locked.signal });
  for (const { id } of damaged)
    context.warn(`Snapshot ${id} cannot be read: it may belong to these backups.`);

  context.finishAlone();
  context.committed(null, null);
  const removing = context.phase('forget').part(null);
  let count = 0;
  for (const backupId of task.backupIds) {
    throwIfAborted(context.signal);
    const ids = manifestsFirst(snapshots, snapshotTags.ofBackup(backupId)).map(({ id }) => id);
    context.removing(backupId);
    await forgetSnapshots(repository, ids, { lock, signal: lock.signal });
    context.removed(backupId);
    context.info(`Removed ${backupId}: ${ids.length} snapshots`);
    count += ids.length;
    removing.report({ files: count, bytes: 0 });
  }
  context.info(`Removed ${count} snapshots; their data goes with the next prune.`);
}

function manifestsFirst(snapshots: readonly Snapshot[], ofBackup: string): readonly Snapshot[] {
  const isManifest = ({ tags }: Snapshot): boolean => tags.includes(snapshotTags.manifest);
  const ofIt = snapshots.filter(({ tags }) => tags.includes(ofBackup));
  return [...ofIt.filter(isManifest), ...ofIt.filter((snapshot) => !isManifest(snapshot))];
}
