import type { SettleTask } from '@holdfast/protocol';
import type { Milestones } from '../../runner/milestones.ts';
import type { PlacedParts } from '../../runner/place-parts.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import type { TaskRuns } from '../jobs/execution/task-runs.ts';

/** What became of the targets of a restore whose mover runs no more. */
export type TargetState = 'old' | 'new' | 'undecided';

/** `undecided`: some may be old and some new, until `settleTargets` has brought all of them forward. */
export function targetStateOf({ committed, swapped, undone, result }: Milestones): TargetState {
  if (committed === undefined || undone !== undefined) return 'old';
  const isDone = result?.outcome === 'done' || result?.outcome === 'warnings';
  return swapped !== undefined || isDone ? 'new' : 'undecided';
}

/** True where the mover could not decide it, or was cut off before it could remove what it left in the targets. */
export function isUnsettled(milestones: Milestones): boolean {
  if (targetStateOf(milestones) === 'undecided') return true;
  return milestones.started !== undefined && milestones.result === undefined;
}

export interface SettleOptions {
  readonly taskRuns: TaskRuns;
  readonly run: JobRun;
  readonly targets: Pick<PlacedParts, 'paths' | 'mounts'>;
}

/**
 * Brings all targets of a restore that was cut off to where they belong, by what lies with them, and removes what it left.
 * @throws what a mover fails with
 */
export async function settleTargets(
  milestones: Milestones,
  { taskRuns, run, targets: { paths, mounts } }: SettleOptions,
): Promise<void> {
  const direction = targetStateOf(milestones) === 'old' ? 'back' : 'forward';
  const parts = [...paths].map(([name, path]) => ({ name, path }));
  const spec = (base: Omit<SettleTask, 'kind' | 'direction' | 'parts'>): SettleTask => ({
    ...base,
    kind: 'settle',
    direction,
    parts,
  });
  const mover = await taskRuns.start(run, 'settle', spec, mounts);
  try {
    mover.send({ type: 'go' });
    await mover.waitForSuccess();
  } finally {
    await taskRuns.end(mover);
  }
}
