import type { BackupId } from '@holdfast/protocol';
import type { Tx } from '../../catalog/catalog.ts';
import type { JobEndings } from '../jobs/execution/work-on-job.ts';
import type { JobOutcome, JobRecord } from '../jobs/job-record.ts';
import type { QueuedEvent } from './notification-event.ts';

export type Notify = (event: QueuedEvent, tx?: Tx) => Promise<void>;

export interface TellOfJobsOptions {
  readonly notify: Notify;
  /** Whether this backup is automated, and the one before it of the same kind has failed too. */
  readonly failedBefore: (backupId: BackupId, tx: Tx) => Promise<boolean>;
}

/**
 * Tells how backups and restores ended, in the transaction that ends them: both count together. What is tried again by itself
 * and fails again is no news: `backup.overdue` comes if it lasts.
 */
export function tellOfJobs({ notify, failedBefore }: TellOfJobsOptions): JobEndings {
  return {
    explain: async (_job, failure) => failure,
    record: async (job, outcome, tx) => {
      for (const event of eventsOf(job, outcome)) {
        if (event.event === 'backup.failed' && (await failedBefore(event.backup.id, tx))) continue;
        await notify(event, tx);
      }
    },
  };
}

/** Nothing is told of what somebody has cancelled. */
function eventsOf(job: JobRecord, { state, error, warnings }: JobOutcome): readonly QueuedEvent[] {
  const { id, kind, backupId, environmentId, environmentName } = job;
  if (backupId === null || state === 'cancelled' || (kind !== 'backup' && kind !== 'restore')) return [];
  const about = {
    environment: { id: environmentId, name: environmentName },
    backup: { id: backupId },
    job: { id },
  };
  if (error !== null)
    return [{ event: kind === 'backup' ? 'backup.failed' : 'restore.failed', error, ...about }];
  if (kind === 'restore') return [{ event: 'restore.done', warnings, ...about }];
  const succeeded = { event: 'backup.succeeded' as const, ...about };
  return warnings.length === 0 ? [succeeded] : [succeeded, { event: 'backup.warned', warnings, ...about }];
}
