import { HoldfastError } from '@holdfast/base';
import { forgetSnapshots, lockRepository, openAtLocation, type Repository } from '@holdfast/engine';
import { type ReviseTask, snapshotTags } from '@holdfast/protocol';
import { saveRevision } from './capture/manifest.ts';
import { type ReadManifest, readManifest } from './read-manifest.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

/**
 * Writes a new revision of a backup's manifest, and then removes the older ones: cut off in between, the highest wins.
 * @throws HoldfastError `blob-missing` where no revision can be read any more
 */
export async function runReviseTask(task: ReviseTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  const opened = await openAtLocation(task.repository, context);
  await using locked = await lockRepository(opened, waitingForLock(context));
  const { repository, lock, signal } = locked;
  await repository.refreshIndex({ signal });
  const { ids, newest } = await revisionsOf(task, repository, context);
  await using writer = await repository.openWriter({ lock, signal });
  const revised = { ...newest.manifest, revision: newest.manifest.revision + 1, pinReason: task.pinReason };

  context.finishAlone();
  const { manifest, snapshotId } = await saveRevision(revised, { locked, writer });
  context.committed(manifest, snapshotId);
  await forgetSnapshots(repository, ids, { lock, signal: lock.signal });
}

async function revisionsOf({ backupId }: ReviseTask, repository: Repository, context: TaskContext) {
  const { signal } = context;
  const tags = [snapshotTags.manifest, snapshotTags.ofBackup(backupId)];
  const { snapshots } = await repository.snapshots.list({ signal });
  const manifests = snapshots.filter((snapshot) => tags.every((tag) => snapshot.tags.includes(tag)));
  let newest: ReadManifest | undefined;
  for (const snapshot of manifests) {
    const read = await readManifest(snapshot, repository.blobs, { signal });
    if ('problem' in read) context.warn(`The manifest in snapshot ${snapshot.id} ${read.problem}`);
    else if (newest === undefined || read.manifest.revision >= newest.manifest.revision) newest = read;
  }
  if (newest !== undefined) return { ids: manifests.map(({ id }) => id), newest };
  throw new HoldfastError(
    'blob-missing',
    `The repository has no manifest of the backup ${backupId} any more.`,
    {
      hint: 'holdfast vault:check tells what else is gone.',
      context: { backupId },
    },
  );
}
