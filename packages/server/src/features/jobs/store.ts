import { type Clock, HoldfastError } from '@holdfast/base';
import type { BackupId, EnvironmentId, JobId, JobKind, NodeId, RepositoryId } from '@holdfast/protocol';
import type { Catalog, Db, Tx } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import {
  deletedBy,
  type JobFilter,
  type JobRecord,
  maintenanceKinds,
  type NewJob,
  type NewMaintenance,
} from './job-record.ts';
import { jobColumns, readJob, selectJobs, toRecord } from './job-rows.ts';

/** Jobs as rows. How one is worked on is in `lease-store.ts`, its log in `log-store.ts`. */
export interface JobStore {
  /**
   * Queues a job.
   * @throws HoldfastError `environment-busy` while the environment has a job that is queued or running
   */
  create(job: NewJob, tx: Tx): Promise<JobRecord>;
  /** Queues such a job, or answers the one of its kind for the repository that is queued or running. */
  createMaintenance(job: NewMaintenance, tx: Tx): Promise<JobRecord>;
  get(id: JobId, db?: Db): Promise<JobRecord | undefined>;
  /** Newest first. */
  list(filter: JobFilter): Promise<readonly JobRecord[]>;
  /** The job that is queued or running for an environment; those that look after its repositories aside. */
  unfinishedOf(environmentId: EnvironmentId, db?: Db): Promise<JobRecord | undefined>;
  /** A job that is queued or running for an environment on the node. */
  unfinishedOn(nodeId: NodeId, tx: Tx): Promise<JobRecord | undefined>;
  /** Of this kind, for whatever environment: one that is queued or running and works with the backup. */
  unfinishedWith(backupId: BackupId, kind: JobKind, tx: Tx): Promise<JobRecord | undefined>;
  /** Notes that a running job is to stop; false when it is not running (any more). */
  requestCancel(id: JobId, db?: Db): Promise<boolean>;
  /** Ends a job that nobody has taken yet; false when somebody has, or it is over. */
  cancelQueued(id: JobId, tx: Tx): Promise<boolean>;
}

export interface JobStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createJobStore({ catalog, clock, ids }: JobStoreOptions): JobStore {
  async function unfinishedOf(environmentId: EnvironmentId, db: Db): Promise<JobRecord | undefined> {
    const row = await selectJobs(db)
      .where('job.environment_id', '=', environmentId)
      .where('job.state', 'in', ['queued', 'running'])
      .where('job.kind', 'not in', maintenanceKinds)
      .executeTakeFirst();
    return row === undefined ? undefined : toRecord(row);
  }

  /** Undefined where an index of unfinished jobs forbids it. */
  async function insert(
    job: NewJob & { readonly repositoryId: RepositoryId | null },
    tx: Tx,
  ): Promise<JobRecord | undefined> {
    const id = ids.job();
    const { numInsertedOrUpdatedRows: inserted } = await tx
      .insertInto('job')
      .values({
        id,
        kind: job.kind,
        state: 'queued',
        environment_id: job.environmentId,
        backup_id: job.backupId,
        request: jobColumns.request.write(job.request),
        step: '',
        progress: null,
        error: null,
        warnings: jobColumns.warnings.write([]),
        cancel_requested: 0,
        created_by: job.createdBy,
        created_at: clock.now(),
        started_at: null,
        finished_at: null,
        lease_owner: null,
        lease_until: null,
        epoch: 0,
        repository_id: job.repositoryId,
      })
      // The indexes of unfinished jobs decide, whoever else is about to insert: no other constraint can be hit.
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    return inserted === 1n ? await readJob(id, tx) : undefined;
  }

  return {
    create: async (job, tx) => {
      const record = await insert({ ...job, repositoryId: null }, tx);
      if (record === undefined) throw busy(job, await unfinishedOf(job.environmentId, tx));
      return record;
    },

    createMaintenance: async (job, tx) => {
      const request = { kind: job.kind };
      const record = await insert({ ...job, backupId: null, request }, tx);
      if (record !== undefined) return record;
      const row = await selectJobs(tx)
        .where('job.state', 'in', ['queued', 'running'])
        .where('job.repository_id', '=', job.repositoryId)
        .where('job.kind', '=', job.kind)
        .executeTakeFirst();
      if (row === undefined) throw busy(job, undefined);
      return toRecord(row);
    },

    get: async (id, db = catalog.db) => await readJob(id, db),

    list: async ({ environmentId, state, kind, backupId, limit }) => {
      let query = selectJobs(catalog.db);
      if (environmentId !== undefined) query = query.where('job.environment_id', '=', environmentId);
      if (state !== undefined) query = query.where('job.state', '=', state);
      if (kind !== undefined) query = query.where('job.kind', '=', kind);
      if (backupId !== undefined) query = query.where('job.backup_id', '=', backupId);
      const rows = await query
        .orderBy('job.created_at', 'desc')
        .orderBy('job.id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(toRecord);
    },

    unfinishedOf: async (environmentId, db = catalog.db) => await unfinishedOf(environmentId, db),

    unfinishedOn: async (nodeId, tx) => {
      const row = await selectJobs(tx)
        .where('job.state', 'in', ['queued', 'running'])
        .where('environment.node_id', '=', nodeId)
        .executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },

    unfinishedWith: async (backupId, kind, tx) => {
      // There are never more than a few.
      const rows = await selectJobs(tx)
        .where('job.state', 'in', ['queued', 'running'])
        .where('job.kind', '=', kind)
        .execute();
      return rows.map(toRecord).find((job) => job.backupId === backupId || deletedBy(job).includes(backupId));
    },

    requestCancel: async (id, db = catalog.db) => {
      const { numUpdatedRows } = await db
        .updateTable('job')
        .set({ cancel_requested: 1 })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },

    cancelQueued: async (id, tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('job')
        .set({ state: 'cancelled', cancel_requested: 1, finished_at: clock.now() })
        .where('id', '=', id)
        .where('state', '=', 'queued')
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },
  };
}

/** For what needs that no job of the environment is under way. */
export function busyWith(holder: JobRecord): HoldfastError {
  return new HoldfastError(
    'environment-busy',
    `The environment ${holder.environmentName} is busy: the ${holder.kind} job ${holder.id} is ${holder.state}.`,
    {
      hint: `Wait for it (holdfast job:watch ${holder.id}) or stop it (holdfast job:cancel ${holder.id}).`,
      context: { environmentId: holder.environmentId, jobId: holder.id },
    },
  );
}

function busy(job: Pick<NewJob, 'environmentId'>, holder: JobRecord | undefined): HoldfastError {
  if (holder === undefined) {
    return new HoldfastError('environment-busy', 'Another job of the environment ended just now.', {
      hint: 'Try again.',
      retry: true,
      context: { environmentId: job.environmentId },
    });
  }
  return busyWith(holder);
}
