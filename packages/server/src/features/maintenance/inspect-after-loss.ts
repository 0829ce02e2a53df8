import type { BackupId, RepositoryId } from '@holdfast/protocol';
import type { Db } from '../../catalog/catalog.ts';
import type { JobEndings } from '../jobs/execution/work-on-job.ts';
import type { JobRecord } from '../jobs/job-record.ts';
import { byItself, type MaintenanceQueue } from './queue.ts';

/** A job that failed by one of these met something that is not there, or not as it was. */
const losses: readonly string[] = ['blob-missing', 'blob-damaged', 'repository-damaged', 'prune-refused'];

export interface InspectAfterLossOptions {
  readonly queue: Pick<MaintenanceQueue, 'inspectLater'>;
  readonly backups: {
    get(id: BackupId, db?: Db): Promise<{ readonly repositoryId: RepositoryId } | undefined>;
  };
}

/** Where a job met a loss, the whole repository is looked at: other backups may have lost the same. */
export function createInspectAfterLoss({ queue, backups }: InspectAfterLossOptions): JobEndings {
  async function repositoryOf({ repositoryId, backupId }: JobRecord, db: Db) {
    if (repositoryId !== null || backupId === null) return repositoryId;
    return (await backups.get(backupId, db))?.repositoryId ?? null;
  }

  return {
    explain: async (_job, failure) => failure,
    record: async (job, { error }, tx) => {
      if (error === null || job.kind === 'inspect' || !losses.includes(error.code)) return;
      const repositoryId = await repositoryOf(job, tx);
      if (repositoryId !== null) await queue.inspectLater(repositoryId, byItself, tx);
    },
  };
}
