import { HoldfastError } from '@holdfast/base';
import { type Client, type JobId, jobIdSchema } from '@holdfast/protocol';
import type { CliContext } from '../context.ts';

const prefix = 'job_';

/**
 * The id of a job from what the user typed: a whole id, or the beginning of one (with or without `job_`) among the
 * newest thousand.
 *
 * @throws HoldfastError `job-unknown`; `usage-invalid` when several begin so
 */
export async function resolveJob(context: CliContext, client: Client, text: string): Promise<JobId> {
  const whole = jobIdSchema.safeParse(text);
  if (whole.success) return whole.data;
  const beginning = text.startsWith(prefix) ? text : prefix + text;
  const { jobs } = await client.call('job.list', {
    query: { limit: 1000 },
    signal: context.interrupts.signal,
  });
  const matches = jobs.filter((job) => job.id.startsWith(beginning));
  const [first, ...others] = matches;
  if (first === undefined || text === '') {
    throw new HoldfastError('job-unknown', `There is no job "${text}".`, {
      hint: 'See `holdfast job:list`.',
    });
  }
  if (others.length === 0) return first.id;
  throw new HoldfastError('usage-invalid', `Several jobs begin with "${text}".`, {
    hint: `Type more of it: ${matches.map((job) => job.id).join(', ')}.`,
  });
}
