import type { BackupId, Component } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { silentLogger } from '../config/logger.ts';
import { createRemovalService } from '../features/backups/removal/removal-service.ts';
import { createBackupStore } from '../features/backups/store.ts';
import { createCarryOutDeletions } from '../features/deletions/carry-out.ts';
import { createDeletionService } from '../features/deletions/service.ts';
import { createDeletionStore } from '../features/deletions/store.ts';
import { createComponentSettingStore } from '../features/environments/commands/setting-store.ts';
import type { EnvironmentRecord } from '../features/environments/environment-record.ts';
import { createEnvironmentStore } from '../features/environments/store.ts';
import type { EnvironmentSurvey } from '../features/environments/survey.ts';
import { createLogStore } from '../features/jobs/log-store.ts';
import { createJobService } from '../features/jobs/service.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createCareStore } from '../features/maintenance/store.ts';
import { createRepositoryStore } from '../features/repositories/store.ts';
import { committedBackup, createFixtures, discoveredEnvironment, sealedPart } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

const hourMs = 3_600_000;
const graceMs = 7 * 24 * hourMs;

/** What deleting environments and components promises, on every dialect. */
export function describeDeletions(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const ids = createIds();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const fixtures = createFixtures(catalog, clock);
    const backups = createBackupStore({ catalog, clock });
    const jobStore = createJobStore({ catalog, clock, ids });
    const environmentStore = createEnvironmentStore({ catalog, clock, ids });
    const settings = createComponentSettingStore(catalog, clock);
    const jobs = createJobService({
      catalog,
      store: jobStore,
      logs: createLogStore(catalog),
      onCancelledInQueue: async () => {},
      onWake: () => {},
    });
    const [shop] = await fixtures.environments('shop');
    if (shop === undefined) throw new Error('No environment.');
    /** What Docker has of it. */
    const docker = { components: shop.seen.components as readonly Component[], isReachable: true };
    const known = async () => await environmentStore.list();
    const find = async (idOrName: string): Promise<EnvironmentRecord> => {
      const found = (await known()).find(({ id, name }) => id === idOrName || name === idOrName);
      if (found === undefined) throw new Error(`There is no ${idOrName}.`);
      return found;
    };
    const environments = {
      known,
      find,
      list: async () => (await known()).map((each) => ({ ...each, isReachable: docker.isReachable })),
      survey: async (id: string) => {
        const components = docker.components.map(({ name, instances }) => ({ name, instances }));
        return {
          record: await find(id),
          environment: { components },
          mounts: [],
        } as unknown as EnvironmentSurvey;
      },
    };
    const store = createDeletionStore(catalog, clock);
    const common = { catalog, store, environments, clock, logger: silentLogger };
    const deletions = createDeletionService({ ...common, jobs });
    const removals = createRemovalService({
      ...{ catalog, store: backups, jobs },
      environments: { findUnfinished: async () => undefined },
    });
    const carryOut = createCarryOutDeletions({ ...common, removals });

    async function readyBackup({ components = ['web'], isWhole = false } = {}): Promise<BackupId> {
      clock.advance(1);
      const { id, backupId } = await fixtures.backup(await find('shop'));
      const code = { kind: 'code' as const, commitId: null, isWhole: true };
      const part = sealedPart('uploads', 100);
      const parts = isWhole ? [part, { ...part, name: 'code', source: code, mountPoints: [] }] : [part];
      await catalog.write(async (tx) => {
        await jobStore.cancelQueued(id, tx);
        await backups.markReady(backupId, committedBackup(parts, clock.now()), tx);
      });
      const text = JSON.stringify(components);
      await catalog.db.updateTable('backup').set({ components: text }).where('id', '=', backupId).execute();
      return backupId;
    }

    const pin = async (id: BackupId, reason: string | null) =>
      await catalog.write(async (tx) => await backups.setPin(id, reason, tx));

    /** Docker shows these components of it from now on. */
    async function sync(...names: readonly string[]): Promise<void> {
      const discovered = discoveredEnvironment('shop');
      docker.components = names.map((name) => ({
        name,
        instances: discovered.seen.components[0]?.instances ?? [],
      }));
      const seen = { ...discovered.seen, components: [...docker.components] };
      await environmentStore.sync(
        (await find('shop')).nodeId,
        names.length === 0 ? [] : [{ ...discovered, seen }],
      );
    }

    const queued = async () => await jobStore.list({ kind: 'delete', state: 'queued', limit: 100 });

    /** What is queued is done, as a server would. */
    async function work(): Promise<readonly BackupId[]> {
      const removed: BackupId[] = [];
      for (const { id, request } of await queued()) {
        if (request.kind !== 'delete') continue;
        for (const backupId of request.backupIds) await backups.remove(backupId);
        removed.push(...request.backupIds);
        await catalog.db.updateTable('job').set({ state: 'done' }).where('id', '=', id).execute();
      }
      return removed;
    }

    const made = { clock, catalog, ids, backups, environmentStore, settings, jobs, fixtures, docker, store };
    return {
      ...{ ...made, deletions, carryOut, readyBackup, pin, sync, queued, work, find, known, shop, jobStore },
      dispose: stack,
    };
  }

  const ofShop = { environment: 'shop', keepPinned: false, deletedBy: 'tester' };

  describe('deleting an environment', () => {
    test('removes nothing for 7 days, and then all of it in one job, of which a part may be done already', async () => {
      const { clock, deletions, carryOut, readyBackup, queued, work, find, dispose } = await setUp();
      await using _ = dispose;
      const [first, second] = [await readyBackup(), await readyBackup()];
      const plan = await deletions.plan({ environment: 'shop' });
      expect(plan).toMatchObject({ backups: 2, bytes: 200, pinned: [], deletion: null, graceMs });
      expect(plan.newestGood.map(({ id }) => id)).toEqual([second]);
      const { deletion } = await deletions.delete(ofShop);
      expect(deletion).toEqual({ atMs: clock.now(), untilMs: clock.now() + graceMs });
      await expect(deletions.delete(ofShop)).rejects.toMatchObject({ code: 'environment-deleted' });
      clock.advance(graceMs - 1);
      await carryOut();
      expect(await queued()).toEqual([]);
      clock.advance(1);
      await carryOut();
      await carryOut();
      expect(await queued()).toMatchObject([
        { createdBy: 'deletion', request: { backupIds: [second, first], isAsked: false } },
      ]);
      expect(await work()).toEqual([second, first]);
      await carryOut();
      expect(await queued()).toEqual([]);
      // Docker has it still: found anew, it would be backed up again.
      expect(await find('shop')).toMatchObject({ state: 'active', deletedAtMs: expect.any(Number) });
    });

    test('is tried again where its job has failed, an hour later', async () => {
      const { clock, catalog, deletions, carryOut, readyBackup, queued, dispose } = await setUp();
      await using _ = dispose;
      await readyBackup();
      await deletions.delete(ofShop);
      clock.advance(graceMs);
      await carryOut();
      await catalog.db.updateTable('job').set({ state: 'failed' }).where('kind', '=', 'delete').execute();
      await carryOut();
      expect(await queued()).toEqual([]);
      clock.advance(hourMs);
      await carryOut();
      expect(await queued()).toHaveLength(1);
    });

    test('is taken back with all that there was, also where its removal is queued already', async () => {
      const { clock, deletions, carryOut, readyBackup, queued, work, find, dispose } = await setUp();
      await using _ = dispose;
      await readyBackup();
      expect(await deletions.undelete({ environment: 'shop' })).toMatchObject({
        wasDeleted: false,
        backups: 1,
      });
      await deletions.delete(ofShop);
      clock.advance(graceMs - 1);
      expect(await deletions.undelete({ environment: 'shop' })).toMatchObject({
        wasDeleted: true,
        backups: 1,
      });
      clock.advance(graceMs);
      await carryOut();
      await deletions.delete(ofShop);
      clock.advance(graceMs);
      await carryOut();
      expect(await queued()).toHaveLength(1);
      expect(await deletions.undelete({ environment: 'shop' })).toMatchObject({
        wasDeleted: true,
        backups: 1,
      });
      expect(await queued()).toEqual([]);
      await deletions.delete(ofShop);
      clock.advance(graceMs + hourMs);
      await carryOut();
      expect(await work()).toHaveLength(1);
      expect(await deletions.undelete({ environment: 'shop' })).toMatchObject({
        wasDeleted: true,
        backups: 0,
      });
      expect(await find('shop')).toMatchObject({ deletedAtMs: null });
    });

    test('that was taken back in between queues nothing', async () => {
      const { clock, deletions, store, catalog, shop, dispose } = await setUp();
      await using _ = dispose;
      const what = { environmentId: shop.id, component: null };
      const holds = async () => await catalog.write(async (tx) => await store.hold(what, tx));
      expect(await holds()).toBe(false);
      await deletions.delete(ofShop);
      clock.advance(graceMs);
      expect(await holds()).toBe(true);
      await deletions.undelete({ environment: 'shop' });
      expect(await holds()).toBe(false);
    });

    test('is refused for a pinned backup, or leaves it; also one that was pinned since', async () => {
      const { clock, deletions, carryOut, readyBackup, pin, sync, work, find, known, ...more } =
        await setUp();
      await using _ = more.dispose;
      const [first, second] = [await readyBackup(), await readyBackup()];
      await pin(first, 'for the court');
      await expect(deletions.delete(ofShop)).rejects.toMatchObject({
        code: 'backup-pinned',
        message: expect.stringContaining(first),
      });
      expect(await find('shop')).toMatchObject({ deletedAtMs: null });
      const kept = await deletions.delete({ ...ofShop, keepPinned: true });
      expect(kept).toMatchObject({ backups: 1, pinned: [{ id: first, pinReason: 'for the court' }] });
      const third = await readyBackup();
      await pin(third, 'also');
      await sync();
      clock.advance(graceMs);
      await carryOut();
      expect(await work()).toEqual([second]);
      await carryOut();
      expect((await known()).map(({ name }) => name)).toEqual(['shop']);
      await pin(first, null);
      await pin(third, null);
      await carryOut();
      expect(await work()).toEqual([third, first]);
      await carryOut();
      expect(await known()).toEqual([]);
    });

    test('keeps what a restore has set aside since for as long', async () => {
      const { clock, deletions, carryOut, readyBackup, work, dispose } = await setUp();
      await using _ = dispose;
      const first = await readyBackup();
      await deletions.delete(ofShop);
      clock.advance(graceMs - 1);
      const later = await readyBackup();
      clock.advance(1);
      await carryOut();
      expect(await work()).toEqual([first]);
      clock.advance(graceMs);
      await carryOut();
      expect(await work()).toEqual([later]);
    });

    test('forgets one that Docker has no more, once nothing waits for it, with all that was set for it', async () => {
      const { clock, catalog, deletions, carryOut, readyBackup, sync, work, known, ...more } = await setUp();
      const { shop, settings, backups, docker, dispose } = more;
      await using _ = dispose;
      const backup = await backups.get(await readyBackup());
      if (backup === undefined) throw new Error('No backup.');
      const care = createCareStore(catalog, clock);
      await createRepositoryStore(catalog, clock).markInitialized(backup.repositoryId);
      await settings.change(shop.id, 'web', () => ({}));
      await deletions.delete(ofShop);
      clock.advance(graceMs);
      await carryOut();
      await work();
      await carryOut();
      expect(await known()).toHaveLength(1);
      await sync();
      await catalog.write(async (tx) => await care.wantPrune(backup.repositoryId, tx));
      await carryOut();
      expect(await known()).toHaveLength(1);
      await catalog.write(async (tx) => await care.notePruned(backup.repositoryId, clock.now(), tx));
      // Nobody can say whether it is there again.
      docker.isReachable = false;
      await carryOut();
      expect(await known()).toHaveLength(1);
      docker.isReachable = true;
      await carryOut();
      expect(await known()).toEqual([]);
      for (const table of ['component_setting', 'repository', 'job'] as const) {
        expect(await catalog.db.selectFrom(table).selectAll().execute()).toEqual([]);
      }
    });

    test('outlives that it goes from Docker and comes back', async () => {
      const { deletions, sync, find, dispose } = await setUp();
      await using _ = dispose;
      await deletions.delete(ofShop);
      await sync();
      await sync('web');
      expect(await find('shop')).toMatchObject({ state: 'active', deletedAtMs: expect.any(Number) });
    });
  });

  describe('deleting a component', () => {
    const ofDb = { environment: 'shop', component: 'db', keepPinned: false, deletedBy: 'tester' };

    test('is for one that Docker has no more, and takes what holds nothing else', async () => {
      const { clock, deletions, carryOut, readyBackup, sync, queued, work, find, ...more } = await setUp();
      const { shop, settings, pin, dispose } = more;
      await using _ = dispose;
      await sync('web', 'db');
      const whole = await readyBackup({ components: ['web', 'db'], isWhole: true });
      const alone = await readyBackup({ components: ['db'] });
      // Taken of the whole, when there was nothing else.
      const early = await readyBackup({ components: ['db'], isWhole: true });
      await settings.change(shop.id, 'db', () => ({}));
      await expect(deletions.delete(ofDb)).rejects.toMatchObject({ code: 'component-in-use' });
      await expect(deletions.delete({ ...ofDb, component: 'dbb' })).rejects.toMatchObject({
        code: 'component-unknown',
      });
      await sync('web');
      await pin(alone, 'kept');
      await expect(deletions.delete(ofDb)).rejects.toMatchObject({ code: 'backup-pinned' });
      await pin(alone, null);
      expect(await deletions.delete(ofDb)).toMatchObject({ component: 'db', backups: 1 });
      expect(await find('shop')).toMatchObject({ deletedAtMs: null, deletedComponents: [{ name: 'db' }] });
      await expect(deletions.delete(ofDb)).rejects.toMatchObject({ code: 'environment-deleted' });
      clock.advance(graceMs - 1);
      await carryOut();
      expect(await queued()).toEqual([]);
      clock.advance(1);
      await carryOut();
      expect(await work()).toEqual([alone]);
      expect((await settings.all()).get(shop.id)?.has('db')).toBe(true);
      await carryOut();
      expect((await settings.all()).get(shop.id)?.has('db')).toBeUndefined();
      expect(await find('shop')).toMatchObject({ deletedComponents: [] });
      const left = await more.backups.list({ limit: 10 });
      expect(left.backups.map(({ id }) => id)).toEqual([early, whole]);
    });

    test('is taken back, by its user or by its containers', async () => {
      const { clock, deletions, carryOut, readyBackup, sync, queued, find, dispose } = await setUp();
      await using _ = dispose;
      await readyBackup({ components: ['db'] });
      await deletions.delete(ofDb);
      expect(await deletions.undelete(ofDb)).toMatchObject({ wasDeleted: true, backups: 1, component: 'db' });
      await deletions.delete(ofDb);
      await sync('web', 'db');
      expect(await find('shop')).toMatchObject({ deletedComponents: [] });
      clock.advance(graceMs);
      await carryOut();
      expect(await queued()).toEqual([]);
    });

    test('drops what was last seen of it in an environment that is not there', async () => {
      const { clock, deletions, carryOut, sync, find, dispose } = await setUp();
      await using _ = dispose;
      await sync('web', 'db');
      await sync();
      await deletions.delete(ofDb);
      clock.advance(graceMs);
      await carryOut();
      const { seen } = await find('shop');
      expect(seen.components.map(({ name }) => name)).toEqual(['web']);
    });
  });
}
