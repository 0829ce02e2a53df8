import { HoldfastError } from '@holdfast/base';
import { asId, openToRead, restoreNode, type TreeId } from '@holdfast/engine';
import type { UnpackTask } from '@holdfast/protocol';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

/** Puts a folder of a part into an empty one, which whoever asked removes again if this fails. */
export async function runUnpackTask(
  { name, treeId, nodePath, path, repository: access }: UnpackTask,
  context: TaskContext,
): Promise<void> {
  await context.waitForGo();
  await using locked = await openToRead(access, waitingForLock(context));
  const { repository, signal } = locked;
  const { warnings, failures } = await restoreNode({
    blobs: repository.blobs,
    treeId: asId<TreeId>(treeId),
    nodePath,
    targetPath: path,
    options: { syncTarget: true },
    progress: context.phase('restore').part(name),
    signal,
  });
  for (const { path: entry, message } of warnings) context.warn(`${name}: ${entry}: ${message}`);
  const [failure] = failures;
  if (failure === undefined) return;
  throw new HoldfastError(
    'restore-incomplete',
    `Not all of ${name} could be restored: ${failure.path}: ${failure.message}`,
    {
      hint: 'See what keeps it from being written there.',
      context: { part: name },
    },
  );
}
