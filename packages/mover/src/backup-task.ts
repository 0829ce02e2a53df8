import { ChunkWindows, lockRepository, scanSources } from '@holdfast/engine';
import type { BackupTask } from '@holdfast/protocol';
import { captureConsistent, captureLive } from './capture/capture.ts';
import { saveManifest } from './capture/manifest.ts';
import { partOfMount, savePartSnapshot } from './capture/part.ts';
import { codeParts, scanFolder, withCommitId } from './code/code-part.ts';
import { openOrInitialize } from './open-or-initialize.ts';
import { type PhaseProgress, sum } from './phase-progress.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

/**
 * Takes one backup, consistent or live. Order of writes: packs, their index, every part's snapshot, `sealed`, (commit),
 * the manifest. Whatever ends it before the manifest leaves blobs and part snapshots that count for nothing.
 */
export async function runBackupTask(task: BackupTask, context: TaskContext): Promise<void> {
  const progress = context.phase('backup');
  using _ = countAhead(task, progress);
  await context.waitForGo();
  const opened = await openOrInitialize(task, context);
  await using locked = await lockRepository(opened, waitingForLock(context));
  const { repository, lock, signal } = locked;
  await using writer = await repository.openWriter({ lock, signal });
  const windows = new ChunkWindows(repository.polynomial);
  const parts = [...task.parts.map(partOfMount), ...(await codeParts(task, context))];
  const writing = { task, parts, context, locked, writer, windows };
  const isLive = task.manifest.mode === 'live';
  const captured = await (isLive ? captureLive : captureConsistent)(writing, progress);

  await writer.flush({ signal });
  const sealed = [];
  for (const [position, part] of captured.parts.entries()) {
    const named = await withCommitId(part, task, locked);
    sealed.push(await savePartSnapshot(named, captured.storedBytes[position] ?? 0, writing));
  }
  const freeze = await context.sealAndWaitForCommit();
  const { manifest, snapshotId } = await saveManifest({ captured, parts: sealed, freeze }, writing);
  context.committed(manifest, snapshotId);
}

/**
 * Counts what there is to read, beside all else: it begins before `go`, while the containers still run, and nobody
 * waits for it. Disposing ends it.
 */
function countAhead({ parts, code }: BackupTask, progress: PhaseProgress): Disposable {
  const abort = new AbortController();
  const sources = parts.map(({ path }) => ({ path, treePath: ['data'] as const }));
  const scans = [scanSources({ sources, signal: abort.signal }), scanFolder(code?.folder, abort)];
  Promise.all(scans).then(
    (totals) => progress.expect(sum(...totals)),
    // Without totals, progress says how much is done but not of how much.
    () => {},
  );
  return { [Symbol.dispose]: () => abort.abort() };
}
