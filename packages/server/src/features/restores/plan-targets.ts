import type { Abortable } from '@holdfast/base';
import type { BackupWithParts } from '../backups/backup-record.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import { planRestore, type RestorePlan } from './plan-restore.ts';
import type { RestoreChoice } from './restore-choice.ts';
import { restoreTargets } from './restore-targets.ts';

export interface PlanTargetsOptions extends Abortable {
  /** Of the environment that is restored: the backup's own, or another one. */
  readonly survey: EnvironmentSurvey;
  readonly choice: RestoreChoice;
}

/** Where the backup's parts of files go, in the environment as it is now. */
export async function planTargets(
  { environmentId, parts }: BackupWithParts,
  { survey, choice, signal }: PlanTargetsOptions,
): Promise<RestorePlan> {
  const targets = await restoreTargets(survey, { signal });
  return planRestore(parts, { targets, choice, isElsewhere: environmentId !== survey.record.id });
}

/** Says in the log which mount a part goes to, where that is not called as the part is. */
export function notePlaces({ parts }: RestorePlan, run: Pick<JobRun, 'log'>): void {
  for (const { part, target } of parts) {
    if (part.name !== target.mount.name) run.log('info', `${part.name} goes to ${target.mount.name}`);
  }
}
