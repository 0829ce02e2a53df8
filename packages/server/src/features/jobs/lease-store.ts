import { type Clock, HoldfastError } from '@holdfast/base';
import type { JobId } from '@holdfast/protocol';
import { type RawBuilder, sql } from 'kysely';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import type { JobChange, JobOutcome, JobRecord, Lease } from './job-record.ts';
import { jobColumns, readJob, selectJobs, toRecord } from './job-rows.ts';

export interface LeasedJob {
  readonly lease: Lease;
  readonly job: JobRecord;
}

export interface RunningJob {
  readonly job: JobRecord;
  /** True when its owner did not renew the lease in time: it may be taken over. */
  readonly isLeaseExpired: boolean;
}

/**
 * Working on jobs. One owner at a time works on a job, proven by its lease: owner and epoch. Each change by a lease
 * that another has taken over changes nothing.
 */
export interface LeaseStore {
  /**
   * Takes the oldest queued job, which is `running` from then on; undefined when there is none. Two callers never
   * get the same job.
   */
  take(owner: string, leaseMs: number): Promise<LeasedJob | undefined>;
  /** Keeps the lease for `leaseMs` from now on; undefined when it is lost: the work has to stop. */
  renew(lease: Lease, leaseMs: number): Promise<{ readonly isCancelRequested: boolean } | undefined>;
  /** All running jobs with the state of their leases, oldest first: what a recovery looks at. */
  listRunning(): Promise<readonly RunningJob[]>;
  /**
   * Takes a running job from its owner, who must be proven dead or have let the lease expire; undefined when the
   * job is over or somebody else was faster.
   */
  takeOver(job: JobRecord, owner: string, leaseMs: number): Promise<LeasedJob | undefined>;
  /** @throws HoldfastError `job-lease-lost` */
  update(lease: Lease, change: JobChange, db?: Db): Promise<void>;
  /**
   * Ends the job; in a transaction together with what it made, both or none count.
   * @throws HoldfastError `job-lease-lost`
   */
  finish(lease: Lease, outcome: JobOutcome, db?: Db): Promise<void>;
}

export interface LeaseStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
}

export function createLeaseStore({ catalog, clock }: LeaseStoreOptions): LeaseStore {
  const until = (leaseMs: number): RawBuilder<number> => sql<number>`${catalog.now()} + ${leaseMs}`;

  async function leased(id: JobId, owner: string): Promise<LeasedJob | undefined> {
    const job = await readJob(id, catalog.db);
    if (job === undefined || job.leaseOwner !== owner) return undefined;
    return { job, lease: { jobId: id, owner, epoch: job.epoch } };
  }

  return {
    take: async (owner, leaseMs) => {
      const taken = await catalog.db
        .updateTable('job')
        .set((change) => ({
          state: 'running',
          started_at: clock.now(),
          lease_owner: owner,
          lease_until: until(leaseMs),
          epoch: change('epoch', '+', 1),
        }))
        .where('id', '=', (query) =>
          query
            .selectFrom('job as queued')
            .select('queued.id')
            .where('queued.state', '=', 'queued')
            .orderBy('queued.created_at')
            .orderBy('queued.id')
            .limit(1)
            .$if(catalog.dialect === 'postgresql', (locked) => locked.forUpdate().skipLocked()),
        )
        .returning('id')
        .executeTakeFirst();
      return taken === undefined ? undefined : await leased(taken.id, owner);
    },

    renew: async (lease, leaseMs) => {
      const row = await heldBy(lease, catalog.db)
        .set({ lease_until: until(leaseMs) })
        .returning('cancel_requested')
        .executeTakeFirst();
      return row === undefined ? undefined : { isCancelRequested: row.cancel_requested === 1 };
    },

    listRunning: async () => {
      const rows = await selectJobs(catalog.db)
        .select((row) =>
          row
            .case()
            .when('job.lease_until', '<', catalog.now())
            .then(sql.lit(1))
            .else(sql.lit(0))
            .end()
            .as('expired'),
        )
        .where('job.state', '=', 'running')
        .orderBy('job.created_at')
        .orderBy('job.id')
        .execute();
      return rows.map((row) => ({ job: toRecord(row), isLeaseExpired: row.expired === 1 }));
    },

    takeOver: async ({ id, epoch }, owner, leaseMs) => {
      const taken = await catalog.db
        .updateTable('job')
        .set({ lease_owner: owner, lease_until: until(leaseMs), epoch: epoch + 1 })
        .where('id', '=', id)
        .where('epoch', '=', epoch)
        .where('state', '=', 'running')
        .returning('id')
        .executeTakeFirst();
      return taken === undefined ? undefined : await leased(taken.id, owner);
    },

    update: async (lease, { step, progress, warnings }, db = catalog.db) => {
      const { numUpdatedRows } = await heldBy(lease, db)
        .set({
          ...(step === undefined ? {} : { step }),
          ...(progress === undefined ? {} : { progress: jobColumns.progress.writeNullable(progress) }),
          ...(warnings === undefined ? {} : { warnings: jobColumns.warnings.write([...warnings]) }),
        })
        .executeTakeFirstOrThrow();
      if (numUpdatedRows !== 1n) throw leaseLost(lease);
    },

    finish: async (lease, { state, error, warnings }, db = catalog.db) => {
      const { numUpdatedRows } = await heldBy(lease, db)
        .set({
          state,
          error: jobColumns.error.writeNullable(error),
          warnings: jobColumns.warnings.write([...warnings]),
          finished_at: clock.now(),
          lease_owner: null,
          lease_until: null,
        })
        .executeTakeFirstOrThrow();
      if (numUpdatedRows !== 1n) throw leaseLost(lease);
    },
  };
}

function heldBy({ jobId, owner, epoch }: Lease, db: Db) {
  return db
    .updateTable('job')
    .where('id', '=', jobId)
    .where('state', '=', 'running')
    .where('lease_owner', '=', owner)
    .where('epoch', '=', epoch);
}

function leaseLost({ jobId, epoch }: Lease): HoldfastError {
  return new HoldfastError('job-lease-lost', `Another server has taken over the job ${jobId}.`, {
    hint: 'It goes on there. Check that the clocks and the network of the servers are in order.',
    context: { jobId, epoch },
  });
}
