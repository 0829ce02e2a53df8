import { ChunkWindows, lockRepository, scanSources } from '@holdfast/engine';
import type { BackupTask } from '@holdfast/protocol';
import { captureConsistent, captureLive } from './capture/capture.ts';
import { saveManifest } from './capture/manifest.ts';
import { savePartSnapshot } from './capture/part.ts';
import { openOrInitialize } from './open-or-initialize.ts';
import type { PhaseProgress } from './phase-progress.ts';
import type { TaskContext } from './task-context.ts';

/**
 * Takes one backup, consistent or live. Order of writes: packs, their index, every part's snapshot, `sealed`, (commit),
 * the manifest. Whatever ends it before the manifest leaves blobs and part snapshots that count for nothing.
 */
export async function runBackupTask(task: BackupTask, context: TaskContext): Promise<void> {
  const progress = context.phase('backup');
  using _ = countAhead(task, progress);
  await context.waitForGo();
  const opened = await openOrInitialize(task, context);
  await using locked = await lockRepository(opened, context);
  const { repository, lock, signal } = locked;
  await using writer = await repository.openWriter({ lock, signal });
  const windows = new ChunkWindows(repository.polynomial);
  const writing = { task, context, locked, writer, windows };
  const isLive = task.manifest.mode === 'live';
  const captured = await (isLive ? captureLive : captureConsistent)(writing, progress);

  await writer.flush({ signal });
  const parts = [];
  for (const [position, part] of captured.parts.entries()) {
    parts.push(await savePartSnapshot(part, captured.storedBytes[position] ?? 0, writing));
  }
  const freeze = await context.sealAndWaitForCommit();
  const { manifest, snapshotId } = await saveManifest({ captured, parts, freeze }, writing);
  context.committed(manifest, snapshotId);
}

/**
 * Counts what there is to read, beside all else: it begins before `go`, while the containers still run, and nobody
 * waits for it. Disposing ends it.
 */
function countAhead({ parts }: BackupTask, progress: PhaseProgress): Disposable {
  const abort = new AbortController();
  const sources = parts.map(({ path }) => ({ path, treePath: ['data'] as const }));
  scanSources({ sources, signal: abort.signal }).then(
    (total) => progress.expect(total),
    // Without totals, progress says how much is done but not of how much.
    () => {},
  );
  return { [Symbol.dispose]: () => abort.abort() };
}
