import { lockRepository } from '@holdfast/engine';
import type { ImportTask } from '@holdfast/protocol';
import { saveManifest } from './capture/manifest.ts';
import { savePartSnapshot, type WritingBackup } from './capture/part.ts';
import { importParts } from './import/import-parts.ts';
import { takeSource } from './import/take-source.ts';
import { openOrInitialize } from './open-or-initialize.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

/**
 * Makes a backup of a source from outside. All of it is here before the repository is opened, and all of it was read and
 * checked before anything counts; then it is written as any backup is.
 */
export async function runImportTask(task: ImportTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using source = await takeSource(task, context);
  const opened = await openOrInitialize(task, context);
  await using locked = await lockRepository(opened, waitingForLock(context));
  const { repository, lock, signal } = locked;
  await using writer = await repository.openWriter({ lock, signal });
  const writing: WritingBackup = { task, context, locked, writer };
  const { mode, parts: saved } = await importParts({ task, source, writing });

  await writer.flush({ signal });
  const storedBytes = saved.map(({ result }) => result.summary.storedBytes);
  const parts = [];
  for (const part of saved) {
    parts.push(await savePartSnapshot(part, part.result.summary.storedBytes, writing));
  }
  const freeze = await context.sealAndWaitForCommit();
  const captured = { mode, parts: saved, storedBytes };
  const { manifest, snapshotId } = await saveManifest({ captured, parts, freeze }, writing);
  context.committed(manifest, snapshotId);
}
