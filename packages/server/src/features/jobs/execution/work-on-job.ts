import { type Clock, HoldfastError, isHoldfastError, sleep, toHoldfastError } from '@holdfast/base';
import type { Catalog, Tx } from '../../../catalog/catalog.ts';
import type { Logger } from '../../../config/logger.ts';
import type { JobOutcome, JobRecord } from '../job-record.ts';
import type { LeasedJob, LeaseStore } from '../lease-store.ts';
import type { LogStore } from '../log-store.ts';
import type { JobEnd, JobHandler, JobHandlers, JobRun } from './job-handler.ts';
import { JobReporter } from './job-reporter.ts';
import type { TaskRuns } from './task-runs.ts';

/** What the end of a job means beyond its own rows. */
export interface JobEndings {
  /** The failure as who reads it can act on it. */
  explain(job: JobRecord, failure: HoldfastError): Promise<HoldfastError>;
  /** Notes it, in the transaction that ends the job. */
  record(job: JobRecord, outcome: JobOutcome, tx: Tx): Promise<void>;
}

/** `recover`: a server that is gone has worked on it before. */
export type WorkMode = 'run' | 'recover';

export interface WorkOnJobOptions {
  readonly catalog: Catalog;
  readonly leases: Pick<LeaseStore, 'update' | 'finish'>;
  readonly logs: Pick<LogStore, 'append'>;
  readonly taskRuns: Pick<TaskRuns, 'discard'>;
  readonly handlers: JobHandlers;
  readonly endings: JobEndings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly mode: WorkMode;
  /** With the reasons that `JobRun.signal` names. */
  readonly signal: AbortSignal;
}

const dockerRetryMs = 5000;

/** Lets the job's handler work, and writes how that ended: the job's end and what it made in one transaction. */
export async function workOnJob({ lease, job }: LeasedJob, options: WorkOnJobOptions): Promise<void> {
  const { mode, signal, handlers, endings, catalog, leases, taskRuns } = options;
  const handler = handlers[job.kind];
  await using reporter = new JobReporter({ ...options, lease });
  const run: JobRun = {
    job,
    lease,
    signal,
    step: (text) => reporter.step(text),
    progress: (progress) => reporter.progress(progress),
    log: (level, message) => reporter.log(level, message),
    quietly: (work) => reporter.quietly(work),
  };
  const end = await endOf(mode === 'run' ? handler.run(run) : recover(handler, run));
  // What lost its lease, and a recovery that was cut off, are for the next server to bring to an end.
  if (end instanceof HoldfastError && signal.aborted) {
    if (mode === 'recover' || isHoldfastError(signal.reason, 'job-lease-lost')) return;
  }
  const failure =
    end instanceof HoldfastError ? await endings.explain(job, decideFailure(end, signal)) : undefined;
  if (failure !== undefined) reporter.log('error', failure.message);
  await reporter.flush();
  await catalog.write(async (tx) => {
    if (failure !== undefined) await handler.recordFailure(job, failure, tx);
    else if (!(end instanceof HoldfastError)) await end.record(tx);
    const outcome = outcomeOf(end, failure);
    await endings.record(job, outcome, tx);
    await leases.finish(lease, outcome, tx);
  });
  await taskRuns.discard(job.id);
}

async function endOf(work: Promise<JobEnd>): Promise<JobEnd | HoldfastError> {
  try {
    return await work;
  } catch (error) {
    return toHoldfastError(error);
  }
}

/** Containers may be paused and environments stopped: as soon as Docker answers, they are put back. */
async function recover(handler: JobHandler, run: JobRun): Promise<JobEnd> {
  run.step('Looking at what the last server left');
  for (;;) {
    try {
      return await handler.recover(run);
    } catch (error) {
      if (!isHoldfastError(error, 'docker-unreachable')) throw error;
      run.step('Waiting for Docker to answer');
      await sleep(dockerRetryMs, { signal: run.signal });
    }
  }
}

/** Work that stops because it was told to says only that it was interrupted: the reason is who told it. */
function decideFailure(error: HoldfastError, signal: AbortSignal): HoldfastError {
  const isStopped = signal.aborted && isHoldfastError(error, 'interrupted');
  return isStopped && signal.reason instanceof HoldfastError ? signal.reason : error;
}

function outcomeOf(end: JobEnd | HoldfastError, failure: HoldfastError | undefined): JobOutcome {
  if (failure !== undefined) {
    const state = isHoldfastError(failure, 'interrupted') ? 'cancelled' : 'failed';
    return { state, error: failure.toReport(), warnings: [] };
  }
  const warnings = end instanceof HoldfastError ? [] : end.warnings;
  return { state: warnings.length === 0 ? 'done' : 'warnings', error: null, warnings };
}
