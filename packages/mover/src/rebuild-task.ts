import { openToRead } from '@holdfast/engine';
import type { RebuildTask } from '@holdfast/protocol';
import { ensureKey } from './ensure-key.ts';
import { findBackups } from './find-backups.ts';
import type { TaskContext } from './task-context.ts';

/**
 * Tells every backup that was committed to the repository; what is broken in it keeps nothing else from being told. Only
 * after `commit` something is written: a key for the repository's own password, unless that opens it already.
 */
export async function runRebuildTask(task: RebuildTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using locked = await openToRead(task.repository, context);
  const { repository, signal } = locked;
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  // Once more: of what was listed, all is known then.
  await repository.refreshIndex({ signal });
  for (const { id } of damaged) context.warn(`The snapshot ${id} cannot be read.`);

  for (const backup of await findBackups(snapshots, { repository, context, signal })) context.backup(backup);

  await context.sealAndWaitForCommit();
  context.committed(null, null);
  await ensureKey(repository, { ...task.repository, password: task.ownPassword }, context);
}
