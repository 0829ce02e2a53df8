import { systemClock } from '@holdfast/base';
import type { LogLine } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../config/logger.ts';
import type { JobChange, Lease } from '../job-record.ts';
import { JobReporter } from './job-reporter.ts';

function noted() {
  const steps: (string | undefined)[] = [];
  const messages: string[] = [];
  const reporter = new JobReporter({
    lease: { jobId: 'job_a' } as Lease,
    leases: { update: async (_lease: Lease, change: JobChange) => void steps.push(change.step ?? undefined) },
    logs: {
      append: async (_job: string, lines: readonly LogLine[]) =>
        void messages.push(...lines.map(({ message }) => message)),
    },
    clock: systemClock,
    logger: silentLogger,
  });
  return { reporter, steps, messages };
}

test('what is reported quietly is written when the work has ended, in order', async () => {
  const { reporter, steps, messages } = noted();
  await using _ = reporter;
  reporter.step('before');
  const result = await reporter.quietly(async () => {
    reporter.step('meanwhile');
    reporter.log('info', 'more');
    await reporter.flush();
    expect(messages).toEqual([]);
    return 7;
  });
  expect(result).toBe(7);
  await reporter.flush();
  expect(steps).toEqual(['meanwhile']);
  expect(messages).toEqual(['before', 'meanwhile', 'more']);
});

test('work that fails makes no reporter quiet for good', async () => {
  const { reporter, messages } = noted();
  await using _ = reporter;
  await expect(reporter.quietly(() => Promise.reject(new Error('It failed.')))).rejects.toThrow();
  reporter.log('error', 'why');
  await reporter.flush();
  expect(messages).toEqual(['why']);
});
