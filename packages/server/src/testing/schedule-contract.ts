import {
  type BackupId,
  type BackupStatus,
  isJobOver,
  type ProjectSettings,
  scheduleIdSchema,
} from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import type { Catalog } from '../catalog/catalog.ts';
import { createIds } from '../catalog/ids.ts';
import { type LogFields, silentLogger } from '../config/logger.ts';
import type { RemovalService } from '../features/backups/removal/removal-service.ts';
import { createBackupStore } from '../features/backups/store.ts';
import { createCarryOutDeletions } from '../features/deletions/carry-out.ts';
import { createDeletionStore } from '../features/deletions/store.ts';
import { createEnvironmentStore } from '../features/environments/store.ts';
import { createLeaseStore } from '../features/jobs/lease-store.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { eventKey } from '../features/notifications/notification-event.ts';
import { createSlotCalendar } from '../features/policies/slot-calendar.ts';
import { createRetentionStore } from '../features/schedules/retention-store.ts';
import { createScheduler } from '../features/schedules/scheduler.ts';
import { createScheduleService } from '../features/schedules/service.ts';
import { createScheduleStore } from '../features/schedules/store.ts';
import { committedBackup, createFixtures, sealedPart } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** What schedules promise over the stores of a catalog, with an injected clock. */
export function describeSchedules(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock(Date.UTC(2026, 0, 1, 12));
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const fixtures = createFixtures(catalog, clock);
    const [shop] = await fixtures.environments('shop');
    if (shop === undefined) throw new Error('No environment.');
    const open = (own: Catalog) => {
      const environments = createEnvironmentStore({ catalog: own, clock, ids: createIds() });
      const store = createScheduleStore(own, clock);
      const service = createScheduleService({
        store,
        retention: createRetentionStore(own),
        environments: {
          find: async () => (await environments.get(shop.id)) ?? shop,
          known: async () => await environments.list(),
          list: async () => [],
        },
        calendar: createSlotCalendar(),
        timezone: 'UTC',
        clock,
      });
      const logged: LogFields[] = [];
      const removed: BackupId[] = [];
      const told = new Map<string, string>();
      const removals: Pick<RemovalService, 'removeBackups'> = {
        removeBackups: async ({ backupIds }) => {
          removed.push(...backupIds);
          return { kind: 'nothing' };
        },
      };
      const listed = {
        list: async () => (await environments.list()).map((each) => ({ ...each, isReachable: true })),
        known: async () => await environments.list(),
      };
      const carryOutDeletions = createCarryOutDeletions({
        ...{ catalog: own, environments: listed, removals, clock, logger: silentLogger },
        store: createDeletionStore(own, clock),
      });
      const scheduler = createScheduler({
        environments: listed,
        schedules: service,
        backups: {
          createAutomated: async ({ begin }) => {
            const job = await createFixtures(own, clock).backup(shop, {
              kind: 'automated',
              note: async (id, tx) => {
                if (!(await begin({ id, createdAtMs: clock.now() }, tx))) throw new Error('not due any more');
              },
            });
            return { job, backupId: job.backupId };
          },
        },
        removals,
        notify: async (event) => void told.set(eventKey(event), event.event),
        clock,
        logger: { ...silentLogger, info: (_message, fields) => void (fields && logged.push(fields)) },
      });
      return { store, service, scheduler, carryOutDeletions, environments, logged, removed, told };
    };
    const backups = createBackupStore({ catalog, clock });
    const jobs = createJobStore({ catalog, clock, ids: createIds() });
    const leases = createLeaseStore({ catalog, clock });
    /** Brings every queued backup to this end. */
    const end = async (status: Extract<BackupStatus, 'ready' | 'failed'>): Promise<number> => {
      let ended = 0;
      for (const job of await jobs.list({ limit: 100 })) {
        if (isJobOver(job.state) || job.backupId === null) continue;
        const taken = await leases.take('here/one', 60_000);
        if (taken === undefined) throw new Error('No job was there to take.');
        const { backupId } = job;
        await catalog.write(async (tx) => {
          const committed = committedBackup([sealedPart('files', 1)], clock.now());
          if (status === 'ready') await backups.markReady(backupId, committed, tx);
          else await backups.markFailed(backupId, { code: 'storage-full', message: 'It is full.' }, tx);
          const error = status === 'ready' ? null : { code: 'storage-full', message: 'It is full.' };
          await leases.finish(
            taken.lease,
            { state: status === 'ready' ? 'done' : 'failed', error, warnings: [] },
            tx,
          );
        });
        ended += 1;
      }
      return ended;
    };
    return { clock, catalog, backups, shop, open, end, fixtures, dispose: stack, ...open(catalog) };
  }

  describe('schedules', () => {
    test('a production environment is backed up once a day, without anybody asking', async () => {
      const { clock, scheduler, end, service, removed, dispose } = await setUp();
      await using _ = dispose;
      const perDay: number[] = [];
      // The first day's start was over when it was seen.
      for (let day = 0; day < 4; day += 1) {
        let taken = 0;
        for (let step = 0; step < 48; step += 1) {
          await scheduler.tick();
          taken += await end('ready');
          clock.advance(30 * minuteMs);
        }
        perDay.push(taken);
      }
      expect(perDay).toEqual([1, 1, 1, 1]);
      // Of four, two are kept.
      expect(new Set(removed).size).toBe(2);
      const { schedules, nextRuns, source } = await service.get('shop');
      expect(source).toBe('default');
      expect(schedules).toMatchObject([{ id: 'interval:1d', lastRun: { status: 'ready' }, skipped: null }]);
      expect(nextRuns).toHaveLength(5);
    });

    test('what was missed while the server was away is made up for once', async () => {
      const { clock, scheduler, end, store, shop, told, dispose } = await setUp();
      await using _ = dispose;
      await scheduler.tick();
      clock.advance(dayMs);
      await scheduler.tick();
      expect(await end('ready')).toBe(1);
      expect([...told.values()]).toEqual([]);
      clock.advance(7 * dayMs);
      for (let step = 0; step < 5; step += 1) {
        await scheduler.tick();
        await end('ready');
        clock.advance(minuteMs);
      }
      expect(await store.runs(shop.id)).toHaveLength(2);
      // Once, of the seven.
      expect([...told.values()].filter((event) => event === 'run.missed')).toHaveLength(1);
      expect([...told.values()].filter((event) => event === 'backup.overdue')).toHaveLength(1);
    });

    test('a run that is still going is not begun again, and what failed is tried again later', async () => {
      const { clock, catalog, backups, scheduler, end, store, shop, dispose } = await setUp();
      await using _ = dispose;
      await scheduler.tick();
      clock.advance(dayMs);
      await scheduler.tick();
      await scheduler.tick();
      expect(await store.runs(shop.id)).toHaveLength(1);
      await end('failed');
      await scheduler.tick();
      expect(await store.runs(shop.id)).toHaveLength(1);
      clock.advance(16 * minuteMs);
      await scheduler.tick();
      const [first, second] = await store.runs(shop.id);
      if (first === undefined || second === undefined) throw new Error('It was not tried again.');
      // What fails again is no news.
      expect(await backups.failedBefore(first.backupId, catalog.db)).toBe(false);
      expect(await backups.failedBefore(second.backupId, catalog.db)).toBe(true);
    });

    test('two servers that look at the same moment begin one', async () => {
      const { clock, catalog, open, scheduler, store, shop, dispose } = await setUp();
      await using _ = dispose;
      await scheduler.tick();
      clock.advance(dayMs);
      await Promise.all([scheduler.tick(), open(catalog).scheduler.tick()]);
      expect(await store.runs(shop.id)).toHaveLength(1);
    });

    test('what cannot be begun is told with its reason, and begun as soon as it can be', async () => {
      const { clock, scheduler, service, fixtures, end, store, shop, dispose } = await setUp();
      await using _ = dispose;
      await scheduler.tick();
      clock.advance(dayMs);
      await fixtures.backup(shop);
      await scheduler.tick();
      const [schedule] = (await service.get('shop')).schedules;
      expect(schedule?.skipped).toEqual({ atMs: clock.now(), reason: expect.stringContaining('is busy') });
      await end('ready');
      clock.advance(minuteMs);
      await scheduler.tick();
      expect(await store.runs(shop.id)).toHaveLength(1);
      expect((await service.get('shop')).schedules[0]?.skipped).toBeNull();
    });

    test('one environment that cannot be read keeps no other from being backed up', async () => {
      const { clock, catalog, fixtures, scheduler, store, shop, dispose } = await setUp();
      await using _ = dispose;
      // By its name it comes before the other.
      const [, broken] = await fixtures.environments('shop', 'broken');
      if (broken === undefined) throw new Error('No environment.');
      await scheduler.tick();
      await catalog.db
        .insertInto('environment_policy')
        .values({ environment_id: broken.id, backup_policy: 'no JSON', updated_at: clock.now() })
        .execute();
      clock.advance(dayMs);
      await scheduler.tick();
      expect(await store.runs(shop.id)).toHaveLength(1);
    });

    test('of each backup it is told when it goes and by which rule, and beforehand what a new one replaces', async () => {
      const { clock, service, scheduler, fixtures, end, shop, dispose } = await setUp();
      await using _ = dispose;
      await service.changeSettings('shop', {
        data_retention: {
          production: { default_config: { schedule: [{ interval: '1d', count: 2 }], manual_count: 2 } },
        },
      });
      const made: BackupId[] = [];
      for (let count = 0; count < 2; count += 1) {
        made.push((await fixtures.backup(shop)).backupId);
        await end('ready');
        clock.advance(minuteMs);
      }
      await scheduler.tick();
      clock.advance(dayMs);
      await scheduler.tick();
      await end('ready');
      const expiries = [...(await service.expiries([shop.id, shop.id])).values()];
      expect(expiries).toEqual([
        {
          ...{ atMs: null, afterNext: 1, text: 'replaced after the next 1 manual backup' },
          ...{ keptBy: ['one of the newest 2 manual ones'], removedBy: null },
        },
        {
          ...{ atMs: null, afterNext: 2, text: 'replaced after the next 2 manual backups' },
          ...{ keptBy: ['one of the newest 2 manual ones'], removedBy: null },
        },
        {
          ...{
            atMs: null,
            afterNext: 2,
            text: 'replaced after the next 2 backups of the schedule interval:1d',
          },
          ...{ keptBy: ['the schedule interval:1d'], removedBy: null },
        },
      ]);
      expect(await service.replacedByManual(shop.id, { isWhole: true })).toEqual([
        { id: made[0], why: '2 newer manual ones are ready' },
      ]);
    });

    test('what was made for a cron string that is gone stays, and is shown', async () => {
      const { clock, service, store, fixtures, end, shop, dispose } = await setUp();
      await using _ = dispose;
      const { backupId } = await fixtures.backup(shop, {
        kind: 'automated',
        note: async (id, tx) =>
          await store.addRun(
            {
              backupId: id,
              environmentId: shop.id,
              begunAtMs: clock.now(),
              schedules: [scheduleIdSchema.parse('cron:db')],
            },
            tx,
          ),
      });
      await end('ready');
      const expected = { id: backupId, keptBy: ['no schedule is set any more'], removedBy: null };
      expect((await service.explain('shop', 31)).backups).toMatchObject([expected]);
    });

    test('what vanishes from Docker keeps all of its backups, for as long as it is away', async () => {
      const { clock, catalog, service, scheduler, carryOutDeletions, environments, end, ...more } =
        await setUp();
      const { backups, fixtures, shop, removed, told, dispose } = more;
      await using _ = dispose;
      await fixtures.backup(shop);
      await end('ready');
      await scheduler.tick();
      for (let day = 0; day < 2; day += 1) {
        clock.advance(dayMs);
        await scheduler.tick();
        expect(await end('ready')).toBe(1);
      }
      const before = (await backups.list({ limit: 100 })).backups.map(({ id }) => id);
      expect(before).toHaveLength(3);
      // By time too, and by retentions of their own.
      await service.set('shop', { enabled: true, every_hour: true, every_day: true, retention: 7 });
      await catalog.db
        .updateTable('backup')
        .set({ expires_at: clock.now() + dayMs })
        .execute();
      await environments.sync(shop.nodeId, []);
      expect((await service.explain('shop', 31)).events).toEqual([]);
      for (let step = 0; step < 60 * 6; step += 1) {
        clock.advance(4 * hourMs);
        await scheduler.tick();
        await carryOutDeletions();
      }
      expect(removed).toEqual([]);
      expect((await backups.list({ limit: 100 })).backups.map(({ id }) => id)).toEqual(before);
      expect(await environments.get(shop.id)).toMatchObject({ state: 'inactive' });
      expect([...told.values()]).toEqual([]);
    });

    test('what was deleted is not followed, nothing is told of it, and no rule removes any of it', async () => {
      const { clock, catalog, scheduler, environments, end, ...more } = await setUp();
      const { store, shop, removed, told, dispose } = more;
      await using _ = dispose;
      await scheduler.tick();
      // More than are kept.
      for (let count = 0; count < 4; count += 1) {
        clock.advance(dayMs);
        await scheduler.tick();
        await end('ready');
      }
      expect(removed.splice(0)).not.toEqual([]);
      const runs = (await store.runs(shop.id)).length;
      const what = { environmentId: shop.id, component: null };
      const deletions = createDeletionStore(catalog, clock);
      await catalog.write(async (tx) => await deletions.mark(what, tx));
      for (let step = 0; step < 6 * 24; step += 1) {
        clock.advance(hourMs);
        await scheduler.tick();
      }
      expect(await store.runs(shop.id)).toHaveLength(runs);
      expect([...told.values()]).toEqual([]);
      expect(removed).toEqual([]);
      await catalog.write(async (tx) => await deletions.takeBack(what, tx));
      expect(await environments.get(shop.id)).toMatchObject({ deletedAtMs: null });
      await scheduler.tick();
      expect(await store.runs(shop.id)).toHaveLength(runs + 1);
    });

    test('settings are changed all or not at all, and each fault names its place', async () => {
      const { service, dispose } = await setUp();
      await using _ = dispose;
      const production = { default_config: { schedule: [{ interval: '1d', count: 7 }], manual_count: 3 } };
      const first: ProjectSettings = { data_retention: { production } };
      expect(await service.changeSettings('shop', first)).toEqual(first);
      const wrong = {
        default_config: { schedule: [{ interval: '1x', count: 0, keep: 1 }] },
        max_backups: 'ten',
      };
      await expect(
        service.changeSettings('shop', { data_retention: { production: wrong, testing: {} } }),
      ).rejects.toMatchObject({
        code: 'settings-invalid',
        context: {
          paths: expect.arrayContaining([
            'data_retention.production.default_config.schedule[0].interval',
            'data_retention.production.default_config.schedule[0].count',
            'data_retention.production.default_config.schedule[0].keep',
            'data_retention.production.max_backups',
            'data_retention.testing',
          ]),
        },
      });
      expect(await service.settings('shop')).toEqual(first);
      const capped = await service.changeSettings('shop', {
        data_retention: { production: { max_backups: 9 } },
      });
      expect(capped).toEqual({ data_retention: { production: { ...production, max_backups: 9 } } });
      await expect(service.settings('other')).rejects.toMatchObject({ code: 'environment-unknown' });
    });

    test('hours of weekdays beat what the project says, until they are taken back', async () => {
      const { service, clock, dispose } = await setUp();
      await using _ = dispose;
      const weekly = { enabled: true, hours: [2], weekdays: [1], retention: 30, timezone: 'Europe/Berlin' };
      const set = await service.set('shop', weekly);
      expect(set).toMatchObject({
        source: 'environment',
        schedules: [{ id: 'weekly', sinceMs: clock.now() }],
      });
      clock.advance(hourMs);
      // What stays as it is stays since then.
      expect((await service.set('shop', { ...weekly, retention: 60 })).schedules[0]?.sinceMs).toBe(
        clock.now() - hourMs,
      );
      expect((await service.set('shop', { ...weekly, hours: [3] })).schedules[0]?.sinceMs).toBe(clock.now());
      expect((await service.set('shop', { enabled: false })).schedules).toEqual([]);
      expect(await service.set('shop', null)).toMatchObject({ source: 'default' });
      await expect(service.set('shop', { enabled: true, hours: [24] })).rejects.toMatchObject({
        code: 'settings-invalid',
      });
    });
  });
}
