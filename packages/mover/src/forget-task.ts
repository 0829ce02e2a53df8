import { forgetSnapshots, lockRepository, openAtLocation } from '@holdfast/engine';
import { type ForgetTask, snapshotTags } from '@holdfast/protocol';
import type { TaskContext } from './task-context.ts';

/**
 * Removes all snapshots of a backup, the manifest first: what is cut off in between is debris, never a backup that
 * lacks a part.
 */
export async function runForgetTask(task: ForgetTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using locked = await lockRepository(await openAtLocation(task.repository, context), context);
  const { repository, lock, signal } = locked;
  const ofBackup = snapshotTags.ofBackup(task.backupId);
  const { snapshots, damaged } = await repository.snapshots.list({ tags: [ofBackup], signal });
  const isManifest = snapshots.map(({ tags }) => tags.includes(snapshotTags.manifest));
  const manifests = snapshots.filter((_, index) => isManifest[index]);
  const parts = snapshots.filter((_, index) => !isManifest[index]);
  for (const { id } of damaged) context.warn(`Snapshot ${id} cannot be read: it may belong to this backup.`);

  context.finishAlone();
  context.committed(null, null);
  const ids = [...manifests, ...parts].map(({ id }) => id);
  await forgetSnapshots(repository, ids, { lock, signal });
  context.info(`Removed ${ids.length} snapshots; their data goes with the next prune.`);
}
