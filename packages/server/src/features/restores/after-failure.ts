import { HoldfastError } from '@holdfast/base';
import type { Milestones } from '../../runner/milestones.ts';
import { targetStateOf } from './settle-targets.ts';
import { isUnfinished, type StandstillOptions, startAgain } from './standstill.ts';

/**
 * Leaves the environment as a failed restore may leave it, and answers the error that says so. No mover runs any more.
 * - its targets are as they were: everything is put back
 * - they are not, by this restore or by an unfinished one before it: it stays stopped, and the journal says why
 *
 * @throws HoldfastError `docker-unreachable` when it could not be put back: call it again, or let a restore complete
 */
export async function afterFailure(
  standstill: StandstillOptions,
  milestones: Milestones,
  failure: HoldfastError,
): Promise<HoldfastError> {
  const { journals, run } = standstill;
  const { environmentId, id: jobId } = run.job;
  const journal = await journals.get(environmentId);
  if (journal?.jobId !== jobId) return failure;
  const targets = targetStateOf(milestones);
  if (targets !== 'old') await journals.setReason(environmentId, failure.message);
  else if (!isUnfinished(journal)) {
    run.step('Putting everything back as it was');
    for (const warning of await startAgain(standstill, journal, 'back')) run.log('warn', warning);
    return failure;
  }
  const state =
    targets === 'new' ? 'its data is restored, but it was not started' : 'its data is partly old, partly new';
  return new HoldfastError(
    failure.code,
    `${failure.message} The environment ${run.job.environmentName} stays stopped: ${state}.`,
    {
      hint: `Run the restore again, it completes then: holdfast backup:restore ${journal.backupId} --target ${run.job.environmentName}. Or bring back what there was before it, where that was kept: --undo.`,
      context: failure.context,
      cause: failure,
    },
  );
}
