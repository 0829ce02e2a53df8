import { type HoldfastError, sleep, systemClock } from '@holdfast/base';
import { describe, expect, test, vi } from 'vitest';
import { createIds } from '../../../catalog/ids.ts';
import { silentLogger } from '../../../config/logger.ts';
import { createFixtures } from '../../../testing/fixtures.ts';
import { silentEndings } from '../../../testing/silent-endings.ts';
import { sqliteTestDatabase } from '../../../testing/test-catalogs.ts';
import { createLeaseStore } from '../lease-store.ts';
import { createLogStore } from '../log-store.ts';
import { createJobStore } from '../store.ts';
import { createJobExecutor, type JobExecutorOptions } from './job-executor.ts';
import type { JobEnd, JobHandler, JobRun } from './job-handler.ts';

const done: JobEnd = { warnings: [], record: async () => {} };
const progress = { phase: 'backup', part: 'a', files: 1, filesTotal: null, bytes: 2, bytesTotal: null };

async function setUp(work: Partial<JobHandler>, changes: Partial<JobExecutorOptions> = {}) {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await sqliteTestDatabase());
  const catalog = stack.use(await database.open(systemClock));
  const clock = systemClock;
  const jobs = createJobStore({ catalog, clock, ids: createIds() });
  const leases = createLeaseStore({ catalog, clock });
  const logs = createLogStore(catalog);
  const failures: HoldfastError[] = [];
  const handler: JobHandler = {
    run: async () => done,
    recover: async () => done,
    recordFailure: async (_job, error) => void failures.push(error),
    ...work,
  };
  const options: JobExecutorOptions = {
    catalog,
    leases,
    logs,
    taskRuns: { discard: async () => {} },
    handlers: {
      backup: handler,
      import: handler,
      adopt: handler,
      restore: handler,
      preview: handler,
      delete: handler,
      revise: handler,
      prune: handler,
      inspect: handler,
    },
    endings: silentEndings,
    place: 'here',
    instance: 'one',
    concurrency: 2,
    times: { leaseMs: 5000, renewMs: 50 },
    stopLimitMs: 5000,
    clock,
    logger: silentLogger,
    ...changes,
  };
  const executor = createJobExecutor(options);
  stack.defer(async () => await executor.stop());
  const fixtures = createFixtures(catalog, clock);
  const queue = async (...names: string[]) => {
    const environments = await fixtures.environments(...names);
    const queued = [];
    for (const environment of environments) queued.push(await fixtures.backup(environment));
    return queued;
  };
  const one = async () => {
    const [job] = await queue('shop');
    if (job === undefined) throw new Error('No job.');
    return job;
  };
  const ended = async (id: Awaited<ReturnType<typeof one>>['id']) =>
    await vi.waitUntil(
      async () => {
        const job = await jobs.get(id);
        return job !== undefined && job.state !== 'queued' && job.state !== 'running' ? job : undefined;
      },
      { timeout: 10_000, interval: 20 },
    );
  return { catalog, jobs, leases, logs, options, executor, failures, queue, one, ended, dispose: stack };
}

/** Works until it is told to stop. */
async function untilStopped({ signal }: JobRun): Promise<JobEnd> {
  await sleep(60_000, { signal });
  return done;
}

describe('an executor', () => {
  test('takes a queued job, writes what it reports, and ends it together with what it made', async () => {
    const recorded: string[] = [];
    const { executor, one, ended, logs, dispose } = await setUp({
      run: async (run) => {
        run.step('First');
        run.progress(progress);
        run.log('warn', 'odd');
        return {
          warnings: ['odd'],
          record: async (tx) => {
            const rows = await tx.selectFrom('job').select('state').execute();
            recorded.push(...rows.map(({ state }) => state));
          },
        };
      },
    });
    await using _ = dispose;
    const job = await one();
    executor.start();
    expect(await ended(job.id)).toMatchObject({
      state: 'warnings',
      warnings: ['odd'],
      step: 'First',
      progress,
      error: null,
      leaseOwner: null,
    });
    expect(recorded).toEqual(['running']);
    expect((await logs.list(job.id, 0, 10)).map(({ line }) => line.message)).toEqual(['First', 'odd']);
  });

  test('ends a job whose work throws as failed, with the error', async () => {
    const { executor, one, ended, failures, dispose } = await setUp({
      run: async () => {
        throw new TypeError('a defect');
      },
    });
    await using _ = dispose;
    const job = await one();
    executor.start();
    expect(await ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'internal' } });
    expect(failures).toMatchObject([{ code: 'internal' }]);
  });

  test('works on as many jobs at once as it may, and is woken for the next', async () => {
    let atOnce = 0;
    let most = 0;
    const { executor, queue, ended, dispose } = await setUp({
      run: async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await sleep(50);
        atOnce -= 1;
        return done;
      },
    });
    await using _ = dispose;
    executor.start();
    const startedAt = performance.now();
    const jobs = await queue('a', 'b', 'c', 'd', 'e');
    executor.wake();
    for (const job of jobs) expect(await ended(job.id)).toMatchObject({ state: 'done' });
    expect(most).toBe(2);
    expect(performance.now() - startedAt).toBeLessThan(1500);
  });

  test('stops a job that somebody asked to cancel', async () => {
    const { executor, one, ended, jobs, failures, dispose } = await setUp({ run: untilStopped });
    await using _ = dispose;
    const job = await one();
    executor.start();
    await vi.waitUntil(async () => await jobs.requestCancel(job.id));
    executor.wake();
    expect(await ended(job.id)).toMatchObject({ state: 'cancelled', error: { code: 'interrupted' } });
    expect(failures).toMatchObject([{ code: 'interrupted' }]);
  });

  test('stops a job whose lease was taken over, and records nothing of it', async () => {
    const reasons: unknown[] = [];
    const { executor, one, jobs, leases, failures, dispose } = await setUp({
      run: async (run) => {
        run.signal.addEventListener('abort', () => reasons.push(run.signal.reason));
        return await untilStopped(run);
      },
    });
    await using _ = dispose;
    const job = await one();
    executor.start();
    const running = await vi.waitUntil(async () => {
      const found = await jobs.get(job.id);
      return found?.state === 'running' ? found : undefined;
    });
    await leases.takeOver(running, 'there/two', 60_000);
    await vi.waitUntil(() => reasons.length > 0);
    expect(reasons).toMatchObject([{ code: 'job-lease-lost' }]);
    await executor.stop();
    expect(await jobs.get(job.id)).toMatchObject({ state: 'running', leaseOwner: 'there/two', epoch: 2 });
    expect(failures).toEqual([]);
  });

  test('fails what it works on when the server stops, and leaves the queue alone', async () => {
    const { executor, queue, jobs, dispose } = await setUp({ run: untilStopped }, { concurrency: 1 });
    await using _ = dispose;
    const [first, second] = await queue('a', 'b');
    if (first === undefined || second === undefined) throw new Error('No jobs.');
    executor.start();
    await vi.waitUntil(async () => (await jobs.get(first.id))?.state === 'running');
    await executor.stop();
    expect(await jobs.get(first.id)).toMatchObject({ state: 'failed', error: { code: 'server-lost' } });
    expect(await jobs.get(second.id)).toMatchObject({ state: 'queued' });
  });

  test('does not wait for ever for work that cannot be cut short: the next server takes it over', async () => {
    const release = Promise.withResolvers<JobEnd>();
    const work = { run: async () => await release.promise };
    const { executor, one, jobs, dispose } = await setUp(work, { stopLimitMs: 100 });
    await using _ = dispose;
    const job = await one();
    executor.start();
    await vi.waitUntil(async () => (await jobs.get(job.id))?.state === 'running');
    await executor.stop();
    expect(await jobs.get(job.id)).toMatchObject({ state: 'running', leaseOwner: 'here/one' });
    release.resolve(done);
    await vi.waitUntil(async () => (await jobs.get(job.id))?.state === 'done');
  });
});

describe('recovery', () => {
  test('takes over what a dead server of the same place left, and nothing that is alive elsewhere', async () => {
    const recovered: string[] = [];
    const { executor, queue, jobs, leases, ended, dispose } = await setUp({
      recover: async ({ job, lease }) => {
        recovered.push(`${job.environmentName} epoch ${lease.epoch}`);
        return done;
      },
    });
    await using _ = dispose;
    const [dead, alive] = await queue('dead', 'alive');
    if (dead === undefined || alive === undefined) throw new Error('No jobs.');
    await leases.take('here/zero', 60_000);
    await leases.take('there/zero', 60_000);
    await executor.recover();
    expect(await ended(dead.id)).toMatchObject({ state: 'done', epoch: 2 });
    expect(recovered).toEqual(['dead epoch 2']);
    expect(await jobs.get(alive.id)).toMatchObject({ state: 'running', leaseOwner: 'there/zero' });
  });

  test('takes over what any server let run out', async () => {
    const { executor, one, leases, ended, dispose } = await setUp({});
    await using _ = dispose;
    const job = await one();
    await leases.take('there/zero', -1);
    await executor.recover();
    expect(await ended(job.id)).toMatchObject({ state: 'done' });
  });

  test('cannot be cancelled, and is left to the next server when this one stops', async () => {
    const { executor, one, jobs, leases, failures, dispose } = await setUp({ recover: untilStopped });
    await using _ = dispose;
    const job = await one();
    await leases.take('here/zero', 60_000);
    await jobs.requestCancel(job.id);
    await executor.recover();
    await sleep(200);
    await executor.stop();
    expect(await jobs.get(job.id)).toMatchObject({ state: 'running', leaseOwner: 'here/one' });
    expect(failures).toEqual([]);
  });
});
