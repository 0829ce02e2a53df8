import { HoldfastError, isHoldfastError, sleep } from '@holdfast/base';
import { ApiError, type Client, isJobOver, type JobEvent, type JobId } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';

/** A server may be restarted under a job that goes on; it is given up on after this long without a word. */
const silenceLimitMs = 180_000;
const firstPauseMs = 250;
const longestPauseMs = 5_000;
const rememberedLines = 10_000;

/**
 * Follows a job until it is over; the last event is the job in its final state. When the stream breaks, it is
 * opened again, and log lines that were seen before are left out.
 *
 * @throws HoldfastError `server-unreachable` when the server was not heard of for three minutes; `interrupted`
 * @throws ApiError when the server refuses
 */
export async function* followJob(
  { clock }: Pick<CliContext, 'clock'>,
  client: Client,
  { jobId, signal }: { jobId: JobId; signal: AbortSignal },
): AsyncGenerator<JobEvent> {
  const seenLines = new Set<string>();
  let heardAtMs = clock.elapsed();
  let pauseMs = firstPauseMs;
  for (;;) {
    try {
      for await (const event of client.stream('job.events', { params: { job: jobId }, signal })) {
        heardAtMs = clock.elapsed();
        pauseMs = firstPauseMs;
        if (event.type === 'log' && !isFirstTime(seenLines, event)) continue;
        yield event;
        if (event.type === 'job' && isJobOver(event.job.state)) return;
      }
      const job = await client.call('job.get', { params: { job: jobId }, signal });
      heardAtMs = clock.elapsed();
      yield { type: 'job', job };
      if (isJobOver(job.state)) return;
    } catch (error) {
      if (!isBrokenConnection(error)) throw error;
      if (clock.elapsed() - heardAtMs > silenceLimitMs) throw giveUp(jobId, error);
    }
    await sleep(pauseMs, { signal });
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** True when trying again may help: the server is away, or on its way up or down. */
function isBrokenConnection(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 502 && error.status <= 504;
  return isHoldfastError(error, 'server-unreachable');
}

function giveUp(jobId: JobId, cause: unknown): HoldfastError {
  const why = isHoldfastError(cause) ? cause.message : 'The server does not answer.';
  return new HoldfastError('server-unreachable', why, {
    hint: `The job may still run: see \`holdfast job:watch ${jobId}\` when the server is back.`,
    cause,
  });
}

function isFirstTime(seen: Set<string>, { line }: JobEvent & { type: 'log' }): boolean {
  const key = `${line.timeMs} ${line.level} ${line.message}`;
  if (seen.has(key)) return false;
  seen.add(key);
  if (seen.size > rememberedLines) {
    const [oldest] = seen;
    if (oldest !== undefined) seen.delete(oldest);
  }
  return true;
}
