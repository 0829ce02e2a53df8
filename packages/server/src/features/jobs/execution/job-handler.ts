import type { HoldfastError } from '@holdfast/base';
import type { JobKind, LogLine, Progress } from '@holdfast/protocol';
import type { Tx } from '../../../catalog/catalog.ts';
import type { JobRecord, Lease } from '../job-record.ts';

/** A job under way: what a handler works on and reports to. */
export interface JobRun {
  readonly job: JobRecord;
  readonly lease: Lease;
  /**
   * Fires when the work has to stop: `interrupted` (somebody cancelled it), `server-lost` (this server stops) or
   * `job-lease-lost` (another server works on the job: put back what has to be, and record nothing).
   */
  readonly signal: AbortSignal;
  /** What is done now, as a user would say it. Also a line of the log. */
  step(text: string): void;
  /** May be called as often as one likes: what is written is throttled. */
  progress(progress: Progress): void;
  log(level: LogLine['level'], message: string): void;
  /** For short work that must not wait for the catalog: what is reported meanwhile is written when it has ended. */
  quietly<Result>(work: () => Promise<Result>): Promise<Result>;
}

export interface JobEnd {
  /** What was not done exactly as asked; none when all was. */
  readonly warnings: readonly string[];
  /** What the job made, in the transaction that ends it: both count, or none. */
  record(tx: Tx): Promise<void>;
}

/** What one kind of job does. A throw ends the job as failed (or as cancelled, where that was asked for). */
export interface JobHandler {
  /** Does the work from the beginning. Before it throws, it puts back what has to be put back. */
  run(run: JobRun): Promise<JobEnd>;
  /**
   * Brings to an end what a server began that is gone: takes over what counts already, puts back the rest and throws.
   * May be called several times. Cancelling does not reach it.
   * @throws HoldfastError `docker-unreachable` when it has to be called again once Docker answers
   */
  recover(run: JobRun): Promise<JobEnd>;
  /** What the failure changes besides the job, in the transaction that ends it. */
  recordFailure(job: JobRecord, error: HoldfastError, tx: Tx): Promise<void>;
}

export type JobHandlers = Readonly<Record<JobKind, JobHandler>>;
