import { HoldfastError, sleep, toHoldfastError } from '@holdfast/base';
import type { JobId } from '@holdfast/protocol';
import type { LeasedJob, LeaseStore } from '../lease-store.ts';
import { LeaseKeeper, type LeaseTimes } from './lease-keeper.ts';
import { type WorkMode, type WorkOnJobOptions, workOnJob } from './work-on-job.ts';

export interface JobExecutorOptions extends Omit<WorkOnJobOptions, 'mode' | 'signal'> {
  readonly leases: LeaseStore;
  /**
   * Names the data directory, and this server on it: `PLACE/INSTANCE`. One server at a time has the directory, so a
   * lease of another instance of the same place is of a dead one.
   */
  readonly place: string;
  readonly instance: string;
  /** How many jobs run at once. */
  readonly concurrency: number;
  readonly times: LeaseTimes;
  /** How long `stop` waits for what cannot be cut off. */
  readonly stopLimitMs: number;
}

/** Takes queued jobs and works on them until it is stopped. */
export interface JobExecutor {
  /**
   * Takes over every job that a server which is gone left running, and brings it to its end in the background.
   * Resolves when they are taken over. Also done from time to time after `start`, for leases that ran out.
   */
  recover(): Promise<void>;
  start(): void;
  /** There is a new job, or somebody asked to cancel one: looks now instead of soon. */
  wake(): void;
  /**
   * Takes no more jobs, stops those that can be stopped (frozen containers go on, the jobs fail with `server-lost`)
   * and waits for the rest up to the limit: a restore that changes its target goes on alone, and the next server
   * takes over its result.
   */
  stop(): Promise<void>;
}

/** How often the queue is looked at when nobody woke us: for jobs that another server queued. */
const pollMs = 2000;
const recoverEveryMs = 15_000;

interface Working {
  readonly keeper: LeaseKeeper;
  readonly done: Promise<void>;
}

export function createJobExecutor(options: JobExecutorOptions): JobExecutor {
  return new Executor(options);
}

class Executor implements JobExecutor {
  readonly #options: JobExecutorOptions;
  readonly #owner: string;
  readonly #working = new Map<JobId, Working>();
  readonly #stopping = new AbortController();
  #woken = Promise.withResolvers<void>();
  #loops: readonly Promise<void>[] = [];

  constructor(options: JobExecutorOptions) {
    this.#options = options;
    this.#owner = `${options.place}/${options.instance}`;
  }

  async recover(): Promise<void> {
    const { leases, place, times } = this.#options;
    for (const { job, isLeaseExpired } of await leases.listRunning()) {
      const isOfDeadServer =
        job.leaseOwner?.startsWith(`${place}/`) === true && job.leaseOwner !== this.#owner;
      if (this.#working.has(job.id) || !(isLeaseExpired || isOfDeadServer)) continue;
      const leased = await leases.takeOver(job, this.#owner, times.leaseMs);
      if (leased !== undefined) this.#begin(leased, 'recover');
    }
  }

  start(): void {
    this.#loops = [
      this.#repeat(
        pollMs,
        async () => await this.#takeJobs(),
        () => this.#woken.promise,
      ),
      this.#repeat(recoverEveryMs, async () => await this.recover()),
    ];
  }

  wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers<void>();
    for (const { keeper } of this.#working.values()) void keeper.renew();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(
      new HoldfastError('server-lost', 'The server was stopped while the job ran.', {
        hint: 'Run it again.',
      }),
    );
    await Promise.all(this.#loops);
    const done = Promise.all([...this.#working.values()].map((working) => working.done));
    await Promise.race([done, sleep(this.#options.stopLimitMs)]);
  }

  async #repeat(everyMs: number, work: () => Promise<void>, woken?: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const next = [sleep(everyMs, { signal }).catch(() => {})];
      if (woken !== undefined) next.push(woken());
      try {
        await work();
      } catch (error) {
        this.#options.logger.error('Jobs could not be taken.', { error: toHoldfastError(error).toReport() });
      }
      await Promise.race(next);
    }
  }

  async #takeJobs(): Promise<void> {
    const { leases, concurrency, times } = this.#options;
    while (this.#working.size < concurrency && !this.#stopping.signal.aborted) {
      const leased = await leases.take(this.#owner, times.leaseMs);
      if (leased === undefined) return;
      this.#begin(leased, 'run');
    }
  }

  #begin(leased: LeasedJob, mode: WorkMode): void {
    const { lease, job } = leased;
    const cancel = new AbortController();
    const keeper = new LeaseKeeper({
      lease,
      leases: this.#options.leases,
      times: this.#options.times,
      logger: this.#options.logger,
      onCancelRequested: () => {
        if (mode === 'run') cancel.abort(new HoldfastError('interrupted', 'The job was cancelled.'));
      },
      onLost: (error) => cancel.abort(error),
    });
    const signal = AbortSignal.any([cancel.signal, this.#stopping.signal]);
    const done = workOnJob(leased, { ...this.#options, mode, signal })
      .catch((error: unknown) => {
        const report = toHoldfastError(error).toReport();
        this.#options.logger.error('A job could not be ended.', { jobId: job.id, error: report });
      })
      .then(async () => {
        await keeper[Symbol.asyncDispose]();
        this.#working.delete(job.id);
        this.wake();
      });
    this.#working.set(job.id, { keeper, done });
  }
}
