import type { Clock } from '@holdfast/base';
import type { JobId } from '@holdfast/protocol';
import { z } from 'zod';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';

/** A container at the moment of its freeze: a later start of the same container shows by `startedAt`. */
const frozenContainerSchema = z.object({ id: z.string(), startedAt: z.string() });

export type FrozenContainer = z.infer<typeof frozenContainerSchema>;

export interface FreezeRecord {
  readonly jobId: JobId;
  readonly containers: readonly FrozenContainer[];
  /** The guard thaws them then, whatever else happens. */
  readonly deadlineMs: number;
  readonly thawedAtMs: number | null;
}

/** What was paused for which job: written before the first pause, so that a returning server can thaw it. */
export interface FreezeStore {
  /** Takes the place of an earlier freeze of the same job. */
  record(freeze: Omit<FreezeRecord, 'thawedAtMs'>, db?: Db): Promise<void>;
  markThawed(jobId: JobId, db?: Db): Promise<void>;
  get(jobId: JobId): Promise<FreezeRecord | undefined>;
  /** All that were not marked as thawed. */
  listOpen(): Promise<readonly FreezeRecord[]>;
}

const containersColumn = jsonColumn('freeze.containers', z.array(frozenContainerSchema));

export function createFreezeStore(catalog: Catalog, clock: Clock): FreezeStore {
  const select = () => catalog.db.selectFrom('freeze').selectAll();
  const toRecord = (
    row: Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number],
  ): FreezeRecord => ({
    jobId: row.job_id,
    containers: containersColumn.read(row.containers),
    deadlineMs: row.deadline_at,
    thawedAtMs: row.thawed_at,
  });

  return {
    record: async ({ jobId, containers, deadlineMs }, db = catalog.db) => {
      const values = {
        containers: containersColumn.write([...containers]),
        deadline_at: deadlineMs,
        thawed_at: null,
      };
      await db
        .insertInto('freeze')
        .values({ job_id: jobId, ...values })
        .onConflict((conflict) => conflict.column('job_id').doUpdateSet(values))
        .execute();
    },
    markThawed: async (jobId, db = catalog.db) => {
      await db
        .updateTable('freeze')
        .set({ thawed_at: clock.now() })
        .where('job_id', '=', jobId)
        .where('thawed_at', 'is', null)
        .execute();
    },
    get: async (jobId) => {
      const row = await select().where('job_id', '=', jobId).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    listOpen: async () => {
      const rows = await select().where('thawed_at', 'is', null).orderBy('job_id').execute();
      return rows.map(toRecord);
    },
  };
}
