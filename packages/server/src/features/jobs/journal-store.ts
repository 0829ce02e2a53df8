import type { BackupId, EnvironmentId, JobId } from '@holdfast/protocol';
import { z } from 'zod';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';

/** A container that may touch the targets, as it was before the restore stopped it. */
const stoppedContainerSchema = z.object({
  id: z.string(),
  name: z.string(),
  restartPolicy: z.object({ name: z.string(), maximumRetryCount: z.int() }),
  wasRunning: z.boolean(),
  /** Which state of the environment it belongs to: that from before the restore, the restored one, or both. */
  belongsTo: z.enum(['both', 'old', 'new']).default('both'),
});

export type StoppedContainer = z.infer<typeof stoppedContainerSchema>;

export interface RestoreJournal {
  readonly environmentId: EnvironmentId;
  readonly backupId: BackupId;
  readonly jobId: JobId;
  readonly containers: readonly StoppedContainer[];
  readonly startedAtMs: number;
  /** Why the restore is unfinished, for a user; empty while it runs. */
  readonly reason: string;
}

/**
 * What a restore has to put back in the end. A journal without a running job is an unfinished restore: the
 * environment stays stopped until a restore takes the journal over and completes.
 */
export interface JournalStore {
  /** Takes the place of the environment's earlier journal. */
  write(journal: RestoreJournal, db?: Db): Promise<void>;
  setReason(environmentId: EnvironmentId, reason: string, db?: Db): Promise<void>;
  get(environmentId: EnvironmentId, db?: Db): Promise<RestoreJournal | undefined>;
  remove(environmentId: EnvironmentId, db?: Db): Promise<void>;
}

const containersColumn = jsonColumn('restore_journal.containers', z.array(stoppedContainerSchema));

export function createJournalStore(catalog: Catalog): JournalStore {
  return {
    write: async ({ environmentId, backupId, jobId, containers, startedAtMs, reason }, db = catalog.db) => {
      const values = {
        backup_id: backupId,
        job_id: jobId,
        containers: containersColumn.write([...containers]),
        started_at: startedAtMs,
        reason,
      };
      await db
        .insertInto('restore_journal')
        .values({ environment_id: environmentId, ...values })
        .onConflict((conflict) => conflict.column('environment_id').doUpdateSet(values))
        .execute();
    },
    setReason: async (environmentId, reason, db = catalog.db) => {
      await db
        .updateTable('restore_journal')
        .set({ reason })
        .where('environment_id', '=', environmentId)
        .execute();
    },
    get: async (environmentId, db = catalog.db) => {
      const row = await db
        .selectFrom('restore_journal')
        .selectAll()
        .where('environment_id', '=', environmentId)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        environmentId,
        backupId: row.backup_id,
        jobId: row.job_id,
        containers: containersColumn.read(row.containers),
        startedAtMs: row.started_at,
        reason: row.reason,
      };
    },
    remove: async (environmentId, db = catalog.db) => {
      await db.deleteFrom('restore_journal').where('environment_id', '=', environmentId).execute();
    },
  };
}
