import { type Abortable, HoldfastError, isHoldfastError, sleep } from '@holdfast/base';
import {
  type BackupId,
  type EnvironmentId,
  isJobOver,
  type JobEvent,
  type JobId,
  type JobKind,
  type JobState,
  type LogLine,
} from '@holdfast/protocol';
import type { Catalog, Tx } from '../../catalog/catalog.ts';
import type { JobRecord, NewJob, NewMaintenance } from './job-record.ts';
import { toJob } from './job-record.ts';
import type { LogStore } from './log-store.ts';
import type { JobStore } from './store.ts';

/** Other servers may work on the job: their changes are seen by looking, this often. */
const pollMs = 200;
const logPage = 500;
/** More lines of one job's log than anybody reads. */
const logLimit = 10_000;

export interface JobService {
  /**
   * Queues a job in the transaction that makes what it works on; call `wake` once that has been committed.
   * @throws HoldfastError `environment-busy`
   */
  enqueue(job: NewJob, tx: Tx): Promise<JobRecord>;
  /** The same where a rule asks, which can wait: `busy` is an answer. */
  tryEnqueue(job: NewJob, tx: Tx): Promise<JobRecord | 'busy'>;
  /** Queues a job that looks after a repository, unless one of its kind is unfinished: then that is the answer. */
  enqueueMaintenance(job: NewMaintenance, tx: Tx): Promise<JobRecord>;
  /** The job of this kind that is queued or running, for whatever environment, and works with the backup. */
  unfinishedWith(backupId: BackupId, kind: JobKind, tx: Tx): Promise<JobRecord | undefined>;
  /** Tells whoever works on jobs that there is something to do. */
  wake(): void;
  list(filter: JobQuery): Promise<readonly JobRecord[]>;
  /** @throws HoldfastError `job-unknown` */
  get(id: JobId): Promise<JobRecord>;
  /** At most the first 10,000 lines. */
  log(id: JobId): Promise<LogLine[]>;
  /**
   * Ends a queued job at once, and asks a running one to stop.
   * @throws HoldfastError `job-unknown`, `job-not-cancellable` when it is over
   */
  cancel(id: JobId): Promise<JobRecord>;
  /**
   * Each log line once, in order, and the job whenever it changed; ends with the finished job, after its last line.
   * @throws HoldfastError `job-unknown`
   */
  follow(id: JobId, options: Abortable): Promise<AsyncIterable<JobEvent>>;
}

export interface JobQuery {
  readonly environmentId?: EnvironmentId | undefined;
  readonly state?: JobState | undefined;
  readonly kind?: JobKind | undefined;
  readonly backupId?: BackupId | undefined;
  readonly limit?: number | undefined;
}

export interface JobServiceOptions {
  readonly catalog: Catalog;
  readonly store: JobStore;
  readonly logs: LogStore;
  /** What a job that is cancelled before anybody took it leaves to be put right, in the same transaction. */
  readonly onCancelledInQueue: (job: JobRecord, tx: Tx) => Promise<void>;
  /** Called by `wake`. */
  readonly onWake: () => void;
}

export function createJobService(options: JobServiceOptions): JobService {
  const { catalog, store, logs, onCancelledInQueue, onWake: wake } = options;

  async function get(id: JobId): Promise<JobRecord> {
    const job = await store.get(id);
    if (job !== undefined) return job;
    throw new HoldfastError('job-unknown', `There is no job ${id}.`, {
      hint: 'holdfast job:list shows the jobs that there are.',
      context: { jobId: id },
    });
  }

  async function* follow(first: JobRecord, { signal }: Abortable): AsyncGenerator<JobEvent> {
    let job = first;
    let shown = '';
    let seq = 0;
    for (;;) {
      // The job is read before its log: once it is over, no line comes after those that are read then.
      const lines = await logs.list(job.id, seq, logPage);
      for (const line of lines) yield { type: 'log', line: line.line };
      seq = lines.at(-1)?.seq ?? seq;
      if (lines.length === logPage) continue;
      const current = JSON.stringify(toJob(job));
      if (current !== shown) yield { type: 'job', job: toJob(job) };
      if (isJobOver(job.state)) return;
      shown = current;
      await sleep(pollMs, { signal });
      job = await get(job.id);
    }
  }

  return {
    enqueue: async (job, tx) => await store.create(job, tx),
    tryEnqueue: async (job, tx) => {
      try {
        return await store.create(job, tx);
      } catch (error) {
        if (isHoldfastError(error, 'environment-busy')) return 'busy';
        throw error;
      }
    },
    enqueueMaintenance: async (job, tx) => await store.createMaintenance(job, tx),
    unfinishedWith: async (backupId, kind, tx) => await store.unfinishedWith(backupId, kind, tx),
    wake,
    list: async ({ limit = 100, ...filter }) => await store.list({ ...filter, limit }),
    get,
    log: async (id) => (await logs.list(id, 0, logLimit)).map(({ line }) => line),

    cancel: async (id) => {
      const job = await get(id);
      const isCancelled = await catalog.write(async (tx) => {
        const wasQueued = await store.cancelQueued(id, tx);
        if (wasQueued) await onCancelledInQueue(job, tx);
        return wasQueued || (await store.requestCancel(id, tx));
      });
      if (!isCancelled) throw notCancellable(await get(id));
      wake();
      return await get(id);
    },

    follow: async (id, { signal }) => follow(await get(id), { signal }),
  };
}

function notCancellable(job: JobRecord): HoldfastError {
  return new HoldfastError('job-not-cancellable', `The job ${job.id} is over: ${job.state}.`, {
    context: { jobId: job.id, state: job.state },
  });
}
