import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createFreezeStore } from '../features/jobs/freeze-store.ts';
import { createJournalStore } from '../features/jobs/journal-store.ts';
import { createLogStore } from '../features/jobs/log-store.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createTaskStore } from '../features/jobs/task-store.ts';
import { createFixtures } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

/** What jobs, their logs, tasks, freezes and journals promise, on every dialect. */
export function describeJobStores(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const ids = createIds();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const jobs = createJobStore({ catalog, clock, ids });
    return { clock, ids, catalog, jobs, fixtures: createFixtures(catalog, clock), dispose: stack };
  }

  async function oneJob() {
    const set = await setUp();
    const [environment] = await set.fixtures.environments('shop');
    if (environment === undefined) throw new Error('No environment.');
    return { ...set, environment, job: await set.fixtures.backup(environment) };
  }

  describe('jobs', () => {
    test('a job is queued with what was asked for', async () => {
      const { job, jobs, environment, dispose } = await oneJob();
      await using _ = dispose;
      await expect(jobs.get(job.id)).resolves.toMatchObject({
        state: 'queued',
        environmentName: 'shop',
        environmentId: environment.id,
        backupId: job.backupId,
        request: { kind: 'backup', components: null, allowEmpty: false },
        step: '',
        progress: null,
        warnings: [],
        cancelRequested: false,
        epoch: 0,
      });
    });

    test('a second job for a busy environment is refused and names the first; other environments are free', async () => {
      const { fixtures, jobs, dispose } = await setUp();
      await using _ = dispose;
      const [shop, blog] = await fixtures.environments('shop', 'blog');
      if (shop === undefined || blog === undefined) throw new Error('No environments.');
      const first = await fixtures.backup(shop);
      await expect(fixtures.backup(shop)).rejects.toMatchObject({
        code: 'environment-busy',
        kind: 'not-possible',
        context: { jobId: first.id },
      });
      await fixtures.backup(blog);
      expect(await jobs.list({ limit: 10 })).toHaveLength(2);
    });

    test('of many that ask at once, one gets the environment', async () => {
      const { fixtures, jobs, dispose } = await setUp();
      await using _ = dispose;
      const [shop] = await fixtures.environments('shop');
      if (shop === undefined) throw new Error('No environment.');
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, async () => await fixtures.backup(shop)),
      );
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'environment-busy' });
      }
      expect(await jobs.list({ limit: 10 })).toHaveLength(1);
    });

    test('a queued job is cancelled at once, a running one is asked to stop', async () => {
      const { jobs, job, catalog, environment, fixtures, clock, dispose } = await oneJob();
      await using _ = dispose;
      expect(await jobs.requestCancel(job.id)).toBe(false);
      expect(await catalog.write(async (tx) => await jobs.cancelQueued(job.id, tx))).toBe(true);
      expect(await jobs.get(job.id)).toMatchObject({ state: 'cancelled', finishedAtMs: clock.now() });

      const second = await fixtures.backup(environment);
      await catalog.db.updateTable('job').set({ state: 'running' }).where('id', '=', second.id).execute();
      expect(await catalog.write(async (tx) => await jobs.cancelQueued(second.id, tx))).toBe(false);
      expect(await jobs.requestCancel(second.id)).toBe(true);
      expect(await jobs.get(second.id)).toMatchObject({ state: 'running', cancelRequested: true });
    });

    test('are listed newest first, by environment and by state', async () => {
      const { jobs, fixtures, clock, catalog, dispose } = await setUp();
      await using _ = dispose;
      const [shop, blog] = await fixtures.environments('shop', 'blog');
      if (shop === undefined || blog === undefined) throw new Error('No environments.');
      const first = await fixtures.backup(shop);
      await catalog.write(async (tx) => await jobs.cancelQueued(first.id, tx));
      clock.advance(1);
      const second = await fixtures.backup(shop);
      clock.advance(1);
      const third = await fixtures.backup(blog);
      const idsOf = async (filter: Parameters<typeof jobs.list>[0]) =>
        (await jobs.list(filter)).map((job) => job.id);
      expect(await idsOf({ limit: 10 })).toEqual([third.id, second.id, first.id]);
      expect(await idsOf({ limit: 2 })).toEqual([third.id, second.id]);
      expect(await idsOf({ limit: 10, environmentId: shop.id })).toEqual([second.id, first.id]);
      expect(await idsOf({ limit: 10, state: 'queued' })).toEqual([third.id, second.id]);
      expect(await jobs.unfinishedOf(shop.id)).toMatchObject({ id: second.id });
    });
  });

  describe('job logs', () => {
    test('lines are numbered without gaps, whoever appends at the same time', async () => {
      const { job, catalog, dispose } = await oneJob();
      await using _ = dispose;
      const log = createLogStore(catalog);
      const line = (message: string) => ({ timeMs: 1, level: 'info' as const, message });
      await log.append(job.id, [line('one'), line('two')]);
      await Promise.all(
        Array.from({ length: 5 }, async (_, index) => await log.append(job.id, [line(`at once ${index}`)])),
      );
      const lines = await log.list(job.id, 0, 100);
      expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(lines[1]?.line).toEqual(line('two'));
      expect(await log.list(job.id, 6, 100)).toHaveLength(1);
      expect(await log.list(job.id, 0, 3)).toHaveLength(3);
    });
  });

  describe('tasks', () => {
    test('are found again with the process that works on them', async () => {
      const { job, ids, catalog, clock, dispose } = await oneJob();
      await using _ = dispose;
      const tasks = createTaskStore(catalog, clock);
      const id = ids.task();
      await tasks.create({ id, jobId: job.id, epoch: 1, kind: 'backup', eventsPath: '/events' });
      expect(await tasks.listOf(job.id)).toMatchObject([{ id, process: null, finishedAtMs: null }]);
      const process = { pid: 4242, bootId: 'boot', startTicks: '18446744073709551615' };
      await tasks.markStarted(id, process);
      await tasks.markFinished(id);
      expect(await tasks.listOf(job.id)).toEqual([
        {
          id,
          jobId: job.id,
          epoch: 1,
          kind: 'backup',
          eventsPath: '/events',
          process,
          createdAtMs: clock.now(),
          finishedAtMs: clock.now(),
        },
      ]);
    });
  });

  describe('freezes', () => {
    test('are open until they are marked as thawed', async () => {
      const { job, catalog, clock, dispose } = await oneJob();
      await using _ = dispose;
      const freezes = createFreezeStore(catalog, clock);
      const containers = [{ id: 'c1', startedAt: '2026-01-01T00:00:00.123456789Z' }];
      const deadlineMs = clock.now() + 600_000;
      await freezes.record({ jobId: job.id, containers: [], deadlineMs: 1 });
      await freezes.record({ jobId: job.id, containers, deadlineMs });
      expect(await freezes.listOpen()).toEqual([{ jobId: job.id, containers, deadlineMs, thawedAtMs: null }]);
      await freezes.markThawed(job.id);
      expect(await freezes.listOpen()).toEqual([]);
      expect(await freezes.get(job.id)).toMatchObject({ thawedAtMs: clock.now() });
    });
  });

  describe('restore journals', () => {
    test('there is one for an environment, until it is removed', async () => {
      const { job, environment, catalog, ids, clock, dispose } = await oneJob();
      await using _ = dispose;
      const journals = createJournalStore(catalog);
      const journal = {
        environmentId: environment.id,
        backupId: ids.backup(),
        jobId: job.id,
        containers: [
          {
            id: 'c1',
            name: 'shop_web_1',
            restartPolicy: { name: 'on-failure', maximumRetryCount: 3 },
            wasRunning: true,
            belongsTo: 'old' as const,
          },
        ],
        startedAtMs: clock.now(),
        reason: '',
      };
      expect(await journals.get(environment.id)).toBeUndefined();
      await journals.write({ ...journal, containers: [] });
      await journals.write(journal);
      await journals.setReason(environment.id, 'The mover was killed.');
      expect(await journals.get(environment.id)).toEqual({ ...journal, reason: 'The mover was killed.' });
      await journals.remove(environment.id);
      expect(await journals.get(environment.id)).toBeUndefined();
    });
  });
}
