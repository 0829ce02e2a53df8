import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import { type Client, isJobOver, type Job, type JobId, type Progress } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';
import { type Failure, failureOf, failureOfReport, writeFailure } from '../failure.ts';
import type { InterruptKind } from '../interrupts.ts';
import type { ProgressState } from '../terminal/progress-state.ts';
import type { ProgressView } from '../terminal/progress-view.ts';
import { showProgress } from '../terminal/show-progress.ts';
import { followJob } from './job-events.ts';
import { JobLog } from './job-log.ts';

export interface WaitOptions {
  readonly jobId: JobId;
  /** True where the first Ctrl-C asks the server to cancel the job; otherwise it only leaves. */
  readonly cancels: boolean;
}

/** Shows a job's progress, log and warnings on standard error until it is over; returns it in its final state. */
export async function waitForJob(context: CliContext, client: Client, options: WaitOptions): Promise<Job> {
  const leaving = new AbortController();
  using progress = showProgress(context);
  using _ = context.interrupts.takeOver(interruptAnswer(client, { ...options, progress, leaving }));
  const events = followJob(context, client, { jobId: options.jobId, signal: leaving.signal });
  const log = new JobLog(progress);
  for await (const event of events) {
    if (event.type === 'log') {
      log.add(event.line);
    } else if (isJobOver(event.job.state)) {
      log.end(event.job);
      return event.job;
    } else {
      progress.update(progressState(event.job));
    }
  }
  throw new Error(`the events of ${options.jobId} ended without its end`);
}

/** Null when all is well. */
function jobFailure(job: Job): Failure | null {
  switch (job.state) {
    case 'failed':
      return failureOfReport(job.error ?? { code: 'internal', message: 'The job failed without a reason.' });
    case 'cancelled':
      return {
        report: job.error ?? { code: 'interrupted', message: `Job ${job.id} was cancelled.` },
        status: exitStatus.interrupted,
      };
    case 'queued':
    case 'running':
    case 'done':
    case 'warnings':
      return null;
  }
}

/** Tells on standard error why a job failed, where it did, and returns the exit status for its end. */
export function endJob(context: CliContext, job: Job): ExitStatus {
  const failure = jobFailure(job);
  if (failure !== null) {
    writeFailure(context, failure);
    return failure.status;
  }
  return job.state === 'warnings' ? exitStatus.warnings : exitStatus.done;
}

interface Interruption extends WaitOptions {
  readonly progress: ProgressView;
  readonly leaving: AbortController;
}

function interruptAnswer(
  client: Client,
  { jobId, cancels, progress, leaving }: Interruption,
): (kind: InterruptKind) => void {
  const leave = () => {
    leaving.abort(
      new HoldfastError('interrupted', `Stopped waiting; job ${jobId} goes on.`, {
        hint: `Follow it with \`holdfast job:watch ${jobId}\`, stop it with \`holdfast job:cancel ${jobId}\`.`,
      }),
    );
  };
  let isAsked = false;
  return (kind) => {
    if (!cancels || isAsked || kind === 'terminate') {
      leave();
      return;
    }
    isAsked = true;
    progress.note('Asking the server to cancel the job. Press Ctrl-C again to leave without waiting.');
    client.call('job.cancel', { params: { job: jobId }, signal: leaving.signal }).catch((error: unknown) => {
      if (!leaving.signal.aborted) progress.note(failureOf(error).report.message);
    });
  };
}

function progressState(job: Job): ProgressState {
  const label = job.step === '' ? phaseLabel(job) : job.step;
  const none: Omit<Progress, 'phase' | 'part'> = { files: 0, filesTotal: null, bytes: 0, bytesTotal: null };
  return { ...none, ...job.progress, label: job.cancelRequested ? `${label} (cancelling)` : label };
}

/** Where the kind's own name is none. */
const nouns: Partial<Record<Job['kind'], string>> = {
  adopt: 'adoption',
  delete: 'deletion',
  inspect: 'inspection',
  revise: 'revision',
};

function phaseLabel(job: Job): string {
  if (job.state === 'queued') return `waiting to start the ${job.kind}`;
  return job.progress?.phase ?? `starting the ${nouns[job.kind] ?? job.kind}`;
}
