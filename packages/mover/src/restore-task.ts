import { HoldfastError } from '@holdfast/base';
import { asId, type RestoreResult, restoreNode, type TreeId, verifyTree } from '@holdfast/engine';
import type { RestoreTask } from '@holdfast/protocol';
import { type LockedRepository, lockForTask, openExisting } from './open-for-task.ts';
import { type PhaseProgress, sum } from './phase-progress.ts';
import type { TaskContext } from './task-context.ts';

type PartSpec = RestoreTask['parts'][number];

const lockWaitMs = 60_000;
/** As many of the files that could not be restored are named in the log. */
const namedFailures = 20;

/**
 * Puts paths to the state of a backup's parts. All of every part is fetched and authenticated before `sealed`; nothing
 * is touched before `commit`. A restore that was cut off is completed by running it again.
 */
export async function runRestoreTask(task: RestoreTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  const opened = await openExisting(task, context);
  await using locked = await lockForTask(opened, { signal: context.signal, waitMs: lockWaitMs });
  await locked.repository.refreshIndex(locked);
  const verifying = context.phase('verify');
  verifying.expect(sum(...task.parts));
  for (const part of task.parts) await verifyPart(part, verifying, locked);
  await context.sealAndWaitForCommit();
  context.committed(null, null);
  const failed: string[] = [];
  const restoring = context.phase('restore');
  restoring.expect(sum(...task.parts));
  for (const part of task.parts) {
    if (!(await restorePart(part, { context, locked, progress: restoring }))) failed.push(part.name);
  }
  if (failed.length > 0) throw incomplete(failed);
}

async function verifyPart(
  part: PartSpec,
  progress: PhaseProgress,
  { repository, signal }: LockedRepository,
): Promise<void> {
  await verifyTree({
    blobs: repository.blobs,
    treeId: asId<TreeId>(part.treeId),
    progress: progress.part(part.name),
    signal,
  });
}

interface Restoring {
  readonly context: TaskContext;
  readonly locked: LockedRepository;
  readonly progress: PhaseProgress;
}

/** False when some of it could not be restored: all that could be is, so that as much as possible is right. */
async function restorePart(
  part: PartSpec,
  { context, locked: { repository, signal }, progress }: Restoring,
): Promise<boolean> {
  const result = await restoreNode({
    blobs: repository.blobs,
    treeId: asId<TreeId>(part.treeId),
    nodePath: ['data'],
    targetPath: part.path,
    options: { deleteExtraneous: true },
    progress: progress.part(part.name),
    signal,
  });
  report(part, result, context);
  return result.failureCount === 0;
}

function report({ name }: PartSpec, result: RestoreResult, context: TaskContext): void {
  for (const { path, message } of result.failures.slice(0, namedFailures)) {
    context.error(`${name}: ${path} could not be restored: ${message}`);
  }
  for (const { path, message } of result.warnings) context.warn(`${name}: ${path}: ${message}`);
  context.countWarnings(result.warningCount - result.warnings.length);
}

function incomplete(parts: readonly string[]): HoldfastError {
  return new HoldfastError('restore-incomplete', `Some files of ${parts.join(', ')} could not be restored.`, {
    hint: 'The log names them. Remove what is in the way, and run the same restore again.',
    context: { parts },
  });
}
