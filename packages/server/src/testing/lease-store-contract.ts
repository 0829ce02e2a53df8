import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createLeaseStore, type LeasedJob } from '../features/jobs/lease-store.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createFixtures } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

/** What leases promise, on every dialect. */
export function describeLeaseStore(makeDatabase: MakeTestDatabase): void {
  async function setUp(environmentCount = 1) {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const database = stack.use(await makeDatabase());
    const catalog = stack.use(await database.open(clock));
    const fixtures = createFixtures(catalog, clock);
    const names = Array.from({ length: environmentCount }, (_, index) => `env${index}`);
    const jobIds: string[] = [];
    for (const environment of await fixtures.environments(...names)) {
      jobIds.push((await fixtures.backup(environment)).id);
      clock.advance(1);
    }
    const jobs = createJobStore({ catalog, clock, ids: createIds() });
    return {
      clock,
      database,
      catalog,
      jobs,
      jobIds,
      leases: createLeaseStore({ catalog, clock }),
      dispose: stack,
    };
  }

  function taken(job: LeasedJob | undefined): LeasedJob {
    if (job === undefined) throw new Error('No job was taken.');
    return job;
  }

  const done = { state: 'done', error: null, warnings: [] } as const;

  describe('leases', () => {
    test('the oldest queued job is taken first, and each once', async () => {
      const { leases, jobIds, clock, dispose } = await setUp(3);
      await using _ = dispose;
      const first = taken(await leases.take('server-a', 60_000));
      expect(first.job).toMatchObject({
        id: jobIds[0],
        state: 'running',
        epoch: 1,
        startedAtMs: clock.now(),
      });
      expect(first.lease).toEqual({ jobId: jobIds[0], owner: 'server-a', epoch: 1 });
      expect((await leases.take('server-a', 60_000))?.job.id).toBe(jobIds[1]);
      expect((await leases.take('server-b', 60_000))?.job.id).toBe(jobIds[2]);
      expect(await leases.take('server-a', 60_000)).toBeUndefined();
    });

    test('of many that take at once, no two get the same job', async () => {
      const { leases, jobIds, dispose } = await setUp(6);
      await using _ = dispose;
      const results = await Promise.all(
        Array.from({ length: 10 }, async (_, index) => await leases.take(`server-${index}`, 60_000)),
      );
      const ids = results.flatMap((result) => (result === undefined ? [] : [result.job.id]));
      // Under SKIP LOCKED a caller may go empty while another's transaction is open; none is lost.
      for (
        let more = await leases.take('last', 60_000);
        more !== undefined;
        more = await leases.take('last', 60_000)
      ) {
        ids.push(more.job.id);
      }
      expect(ids.sort()).toEqual([...jobIds].sort());
    });

    test('its holder changes and ends the job', async () => {
      const { leases, jobs, clock, dispose } = await setUp();
      await using _ = dispose;
      const { lease, job } = taken(await leases.take('server-a', 60_000));
      const progress = { phase: 'backup', part: 'data', files: 1, filesTotal: 2, bytes: 3, bytesTotal: null };
      await leases.update(lease, { step: 'Copying', progress });
      expect(await jobs.get(job.id)).toMatchObject({ step: 'Copying', progress });
      await leases.update(lease, { progress: null, warnings: ['one'] });
      expect(await jobs.get(job.id)).toMatchObject({ step: 'Copying', progress: null, warnings: ['one'] });
      clock.advance(5);
      await leases.finish(lease, {
        state: 'failed',
        error: { code: 'mover-failed', message: 'It failed.' },
        warnings: ['one', 'two'],
      });
      expect(await jobs.get(job.id)).toMatchObject({
        state: 'failed',
        error: { code: 'mover-failed', message: 'It failed.' },
        warnings: ['one', 'two'],
        finishedAtMs: clock.now(),
        leaseOwner: null,
      });
      await expect(leases.finish(lease, done)).rejects.toMatchObject({ code: 'job-lease-lost' });
    });

    test('renewing tells of a request to cancel', async () => {
      const { leases, jobs, dispose } = await setUp();
      await using _ = dispose;
      const { lease, job } = taken(await leases.take('server-a', 60_000));
      expect(await leases.renew(lease, 60_000)).toEqual({ isCancelRequested: false });
      await jobs.requestCancel(job.id);
      expect(await leases.renew(lease, 60_000)).toEqual({ isCancelRequested: true });
    });

    test('after it was taken over, the earlier holder changes nothing any more', async () => {
      const { leases, jobs, dispose } = await setUp();
      await using _ = dispose;
      const before = taken(await leases.take('server-a', 60_000));
      const after = taken(await leases.takeOver(before.job, 'server-b', 60_000));
      expect(after.lease).toEqual({ jobId: before.job.id, owner: 'server-b', epoch: 2 });
      expect(await leases.takeOver(before.job, 'server-c', 60_000)).toBeUndefined();
      expect(await leases.renew(before.lease, 60_000)).toBeUndefined();
      await expect(leases.update(before.lease, { step: 'x' })).rejects.toMatchObject({
        code: 'job-lease-lost',
      });
      await expect(leases.finish(before.lease, done)).rejects.toMatchObject({ code: 'job-lease-lost' });
      expect(await jobs.get(before.job.id)).toMatchObject({ state: 'running', step: '' });
      await leases.finish(after.lease, done);
    });

    test('the end of a job and what it made count together', async () => {
      const { leases, jobs, catalog, dispose } = await setUp();
      await using _ = dispose;
      const { lease, job } = taken(await leases.take('server-a', 60_000));
      const failing = catalog.write(async (tx) => {
        await leases.finish(lease, done, tx);
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      expect(await jobs.get(job.id)).toMatchObject({ state: 'running' });
    });

    test('a lease that is not renewed expires', async () => {
      const { leases, clock, dispose } = await setUp(2);
      await using _ = dispose;
      const first = taken(await leases.take('server-a', 60_000));
      const second = taken(await leases.take('server-a', 50));
      // The manual clock counts on SQLite, the database's own on PostgreSQL.
      clock.advance(51);
      await delay(60);
      expect(await leases.listRunning()).toMatchObject([
        { job: { id: first.job.id }, isLeaseExpired: false },
        { job: { id: second.job.id }, isLeaseExpired: true },
      ]);
      await leases.renew(second.lease, 60_000);
      expect(await leases.listRunning()).toMatchObject([
        { isLeaseExpired: false },
        { isLeaseExpired: false },
      ]);
    });
  });
}
