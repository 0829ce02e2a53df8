import {
  executePrune,
  lockRepository,
  openAtLocation,
  type ProgressSink,
  type PruneProgress,
  planPrune,
} from '@holdfast/engine';
import type { PruneTask } from '@holdfast/protocol';
import { setPriority } from './capture/priority.ts';
import type { TaskContext } from './task-context.ts';
import { waitingForLock } from './waiting-for-lock.ts';

const labels: Readonly<Record<PruneProgress['step'], string>> = {
  snapshots: 'reading snapshots',
  trees: 'finding what is needed',
  packs: 'looking at packs',
  repack: 'repacking',
  index: 'removing old indexes',
  delete: 'removing packs',
};

/** Removes what no snapshot needs. Ended at any moment, every backup stays whole, and the next prune completes it. */
export async function runPruneTask(task: PruneTask, context: TaskContext): Promise<void> {
  setPriority('background');
  await context.waitForGo();
  const repository = await openAtLocation(task.repository, context);
  await using locked = await lockRepository(repository, { ...waitingForLock(context), kind: 'exclusive' });
  const { lock, signal } = locked;
  const onProgress = tellProgress(context);
  const plan = await planPrune(repository, { lock, onProgress, signal });
  const { packsRemoved, packsWritten, bytesFreed } = await executePrune(plan, { onProgress, signal });
  context.info(
    plan.isEmpty
      ? 'Nothing had to be removed.'
      : `Removed ${packsRemoved} packs, wrote ${packsWritten} new ones: ${bytesFreed} bytes freed.`,
  );
}

function tellProgress(context: TaskContext): (progress: PruneProgress) => void {
  let current: { readonly step: string; readonly sink: ProgressSink } | undefined;
  return ({ step, done, total }) => {
    if (current?.step !== step) {
      const phase = context.phase(labels[step]);
      if (total !== undefined) phase.expect({ files: total, bytes: 0 });
      current = { step, sink: phase.part(null) };
    }
    current.sink.report({ files: done, bytes: 0 });
  };
}
