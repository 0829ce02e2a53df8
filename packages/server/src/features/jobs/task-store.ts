import type { Clock } from '@holdfast/base';
import type { JobId, TaskId, TaskSpec } from '@holdfast/protocol';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import type { TaskTable } from '../../catalog/tables.ts';

/** What names a process for good: its number is used again, the moment of its start in this boot is not. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly bootId: string;
  /** Clock ticks since boot, as in `/proc/<pid>/stat`. */
  readonly startTicks: string;
}

export interface TaskRecord {
  readonly id: TaskId;
  readonly jobId: JobId;
  readonly epoch: number;
  readonly kind: TaskSpec['kind'];
  readonly eventsPath: string;
  /** Null until the mover said `started`. */
  readonly process: ProcessIdentity | null;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
}

export type NewTask = Omit<TaskRecord, 'process' | 'createdAtMs' | 'finishedAtMs'>;

/** The work that movers were started for: how a returning server finds them. */
export interface TaskStore {
  create(task: NewTask, db?: Db): Promise<void>;
  markStarted(id: TaskId, process: ProcessIdentity, db?: Db): Promise<void>;
  markFinished(id: TaskId, db?: Db): Promise<void>;
  /** Oldest first. */
  listOf(jobId: JobId): Promise<readonly TaskRecord[]>;
}

export function createTaskStore(catalog: Catalog, clock: Clock): TaskStore {
  return {
    create: async ({ id, jobId, epoch, kind, eventsPath }, db = catalog.db) => {
      await db
        .insertInto('task')
        .values({
          id,
          job_id: jobId,
          epoch,
          kind,
          events_path: eventsPath,
          pid: null,
          boot_id: null,
          start_ticks: null,
          created_at: clock.now(),
          finished_at: null,
        })
        .execute();
    },
    markStarted: async (id, { pid, bootId, startTicks }, db = catalog.db) => {
      await db
        .updateTable('task')
        .set({ pid, boot_id: bootId, start_ticks: startTicks })
        .where('id', '=', id)
        .execute();
    },
    markFinished: async (id, db = catalog.db) => {
      await db.updateTable('task').set({ finished_at: clock.now() }).where('id', '=', id).execute();
    },
    listOf: async (jobId) => {
      const rows = await catalog.db
        .selectFrom('task')
        .selectAll()
        .where('job_id', '=', jobId)
        .orderBy('epoch')
        .orderBy('created_at')
        .execute();
      return rows.map(toRecord);
    },
  };
}

function toRecord(row: TaskTable): TaskRecord {
  const { pid, boot_id: bootId, start_ticks: startTicks } = row;
  return {
    id: row.id,
    jobId: row.job_id,
    epoch: row.epoch,
    kind: row.kind,
    eventsPath: row.events_path,
    process: pid === null || bootId === null || startTicks === null ? null : { pid, bootId, startTicks },
    createdAtMs: row.created_at,
    finishedAtMs: row.finished_at,
  };
}
