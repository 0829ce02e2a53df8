import type { Tx } from '../../catalog/catalog.ts';
import type { JobEndings } from '../jobs/execution/work-on-job.ts';
import type { JobOutcome, JobRecord } from '../jobs/job-record.ts';
import type { QueuedEvent } from './notification-event.ts';

export type Notify = (event: QueuedEvent, tx?: Tx) => Promise<void>;

/** Tells how backups and restores ended, in the transaction that ends them: both count together. */
export function tellOfJobs(notify: Notify): JobEndings {
  return {
    explain: async (_job, failure) => failure,
    record: async (job, outcome, tx) => {
      for (const event of eventsOf(job, outcome)) await notify(event, tx);
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
