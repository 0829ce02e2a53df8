import {
  asId,
  type LockedRepository,
  openStagedRestore,
  openToRead,
  type StagedRestore,
  type TreeId,
} from '@holdfast/engine';
import type { RestoreTask } from '@holdfast/protocol';
import { type Amount, sum } from './phase-progress.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

type PartSpec = RestoreTask['parts'][number];

interface StagedPart {
  readonly part: PartSpec;
  readonly restore: StagedRestore;
}

/**
 * Puts paths to the state of a backup's parts. Before `sealed`, all that differs is fetched, authenticated and made beside
 * the targets, which are as they were until `commit`; what does not differ was proven by its hashes. Then every target is
 * new, or, where one cannot be, all are as they were.
 */
export async function runRestoreTask(task: RestoreTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using locked = await openToRead(task.repository, waitingForLock(context));
  await using stack = new AsyncDisposableStack();
  const parts: StagedPart[] = [];
  for (const part of task.parts) parts.push({ part, restore: stack.use(await openStaged(part, locked)) });
  await stage(parts, context);
  await context.sealAndWaitForCommit();
  for (const { restore } of parts) await restore.complete();
  context.committed(null, null);
  await swapAll(parts, context);
  for (const { part, restore } of parts) report(part, restore, context);
}

async function openStaged(
  { treeId, path, nodePath, only, kept }: PartSpec,
  { repository, signal }: LockedRepository,
): Promise<StagedRestore> {
  return await openStagedRestore({
    blobs: repository.blobs,
    treeId: asId<TreeId>(treeId),
    nodePath,
    targetPath: path,
    only: only ?? undefined,
    kept,
    signal,
  });
}

async function stage(parts: readonly StagedPart[], context: TaskContext): Promise<void> {
  const comparing = context.phase('compare');
  comparing.expect(sum(...parts.map(({ part }) => part)));
  const differences: Amount[] = [];
  for (const { part, restore } of parts) {
    const difference = await restore.compare(comparing.part(part.name));
    const mebibytes = (difference.bytes / 2 ** 20).toFixed(1);
    const removed = difference.removed === 0 ? '' : `, ${difference.removed} to be removed`;
    context.info(`${part.name}: ${difference.files} files to be restored, ${mebibytes} MiB${removed}`);
    differences.push(difference);
  }
  const staging = context.phase('stage');
  staging.expect(sum(...differences));
  for (const { part, restore } of parts) await restore.stage(staging.part(part.name));
}

/** All of them, or none. */
async function swapAll(parts: readonly StagedPart[], context: TaskContext): Promise<void> {
  try {
    for (const { restore } of parts) await restore.swap();
  } catch (error) {
    for (const { restore } of parts) await restore.undo();
    context.undone();
    for (const { restore } of parts) restore.finish();
    throw error;
  }
  for (const { restore } of parts) restore.finish();
  // Only now may somebody write to the targets: what lies with them says no more what they were.
  context.swapped();
}

function report({ name }: PartSpec, { warnings, warningCount }: StagedRestore, context: TaskContext): void {
  for (const { path, message } of warnings) context.warn(`${name}: ${path}: ${message}`);
  context.countWarnings(warningCount - warnings.length);
}
