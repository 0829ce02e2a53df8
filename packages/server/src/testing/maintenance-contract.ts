import { HoldfastError } from '@holdfast/base';
import type { BackupId, EnvironmentId, RepositoryId } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createDamageStore } from '../features/backups/damage-store.ts';
import { createPinService } from '../features/backups/removal/pins.ts';
import { createRemovalService } from '../features/backups/removal/removal-service.ts';
import { createRemovalStore } from '../features/backups/removal/removal-store.ts';
import { createBackupStore } from '../features/backups/store.ts';
import type { EnvironmentRecord } from '../features/environments/environment-record.ts';
import { createLogStore } from '../features/jobs/log-store.ts';
import { createJobService } from '../features/jobs/service.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createInspectAfterLoss } from '../features/maintenance/inspect-after-loss.ts';
import { createMaintenanceQueue } from '../features/maintenance/queue.ts';
import { createMaintenanceService } from '../features/maintenance/service.ts';
import { createCareStore } from '../features/maintenance/store.ts';
import { createRepositoryStore } from '../features/repositories/store.ts';
import { committedBackup, createFixtures, sealedPart } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

const dayMs = 24 * 3_600_000;
const lost = { code: 'blob-missing', message: 'It has lost uploads.' };

/** What looking after repositories promises, on every dialect. */
export function describeMaintenance(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const ids = createIds();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const fixtures = createFixtures(catalog, clock);
    const store = createBackupStore({ catalog, clock });
    const jobStore = createJobStore({ catalog, clock, ids });
    const repositories = createRepositoryStore(catalog, clock);
    const jobs = createJobService({
      catalog,
      store: jobStore,
      logs: createLogStore(catalog),
      onCancelledInQueue: async () => {},
      onWake: () => {},
    });
    const care = createCareStore(catalog, clock);
    const queue = createMaintenanceQueue({ care, jobs: jobStore, repositories, clock });
    const maintenance = createMaintenanceService({
      catalog,
      care,
      queue,
      jobs,
      vaults: { find: async () => Promise.reject(new Error('Nobody asks.')) },
      now: () => clock.now(),
    });
    const removals = createRemovalService({
      catalog,
      store,
      jobs,
      environments: { findUnfinished: async () => undefined },
    });
    const [shop, blog] = await fixtures.environments('shop', 'blog');
    if (shop === undefined || blog === undefined) throw new Error('No environments.');

    async function readyBackup(
      environment: EnvironmentRecord = shop as EnvironmentRecord,
    ): Promise<BackupId> {
      clock.advance(1);
      const { id, backupId } = await fixtures.backup(environment);
      const committed = committedBackup([sealedPart('uploads', 1)], clock.now());
      await catalog.write(async (tx) => {
        await jobStore.cancelQueued(id, tx);
        await store.markReady(backupId, committed, tx);
      });
      return backupId;
    }

    async function repositoryOf(id: BackupId): Promise<RepositoryId> {
      const backup = await store.get(id);
      if (backup === undefined) throw new Error('No backup.');
      await repositories.markInitialized(backup.repositoryId);
      return backup.repositoryId;
    }

    async function unfinished(environmentId: EnvironmentId) {
      const all = await jobStore.list({ environmentId, state: 'queued', limit: 100 });
      return all.map(({ kind }) => kind).sort();
    }

    /** What of all that is queued was done. */
    async function finishAll(): Promise<void> {
      await catalog.db.updateTable('job').set({ state: 'done' }).where('state', '=', 'queued').execute();
    }

    const made = { catalog, clock, fixtures, store, jobs, jobStore, care, queue, maintenance, removals };
    return { ...made, shop, blog, readyBackup, repositoryOf, unfinished, finishAll, dispose: stack };
  }

  describe('jobs that look after repositories', () => {
    test('keep no other job of the environment from being queued, and none keeps them; one of a kind is there', async () => {
      const { readyBackup, repositoryOf, maintenance, fixtures, jobStore, shop, unfinished, dispose } =
        await setUp();
      await using _ = dispose;
      const repositoryId = await repositoryOf(await readyBackup());
      const inspection = await maintenance.inspectLater(repositoryId, 'tester');
      expect(inspection).toMatchObject({ kind: 'inspect', environmentId: shop.id, repositoryId });
      expect(await maintenance.inspectLater(repositoryId, 'other')).toEqual(inspection);
      const backup = await fixtures.backup(shop);
      await maintenance.pruneLater(repositoryId, { isAsked: true });
      expect(await unfinished(shop.id)).toEqual(['backup', 'inspect', 'prune']);
      expect(await jobStore.unfinishedOf(shop.id)).toMatchObject({ id: backup.id });
    });

    test('a prune that a user waits for comes at once, another a day after the last; what came late is wanted still', async () => {
      const { catalog, clock, readyBackup, repositoryOf, ...more } = await setUp();
      const { maintenance, care, shop, unfinished, finishAll, dispose } = more;
      await using _ = dispose;
      const id = await repositoryOf(await readyBackup());
      const startedMs = clock.now();
      await maintenance.pruneLater(id, { isAsked: false });
      expect(await unfinished(shop.id)).toEqual(['prune']);
      await finishAll();
      await catalog.write(async (tx) => await care.notePruned(id, startedMs, tx));
      clock.advance(1);
      await maintenance.pruneLater(id, { isAsked: false });
      await maintenance.queueDue();
      expect(await unfinished(shop.id)).toEqual([]);
      await maintenance.pruneLater(id, { isAsked: true });
      expect(await unfinished(shop.id)).toEqual(['prune']);
      await finishAll();
      // It began before the last removal.
      await catalog.write(async (tx) => await care.notePruned(id, startedMs, tx));
      clock.advance(dayMs - 1);
      await maintenance.queueDue();
      expect(await unfinished(shop.id)).toEqual([]);
      clock.advance(1);
      await maintenance.queueDue();
      expect(await unfinished(shop.id)).toContain('prune');
    });

    test('an inspection is due a day after the last one ended, however', async () => {
      const { catalog, clock, care, readyBackup, repositoryOf, ...more } = await setUp();
      const { maintenance, shop, unfinished, finishAll, dispose } = more;
      await using _ = dispose;
      const id = await repositoryOf(await readyBackup());
      await maintenance.queueDue();
      expect(await unfinished(shop.id)).toEqual([]);
      clock.advance(dayMs + dayMs / 12);
      await maintenance.queueDue();
      await maintenance.queueDue();
      expect(await unfinished(shop.id)).toEqual(['inspect']);
      await finishAll();
      await catalog.write(async (tx) => await care.noteInspected(id, tx));
      await maintenance.queueDue();
      expect(await unfinished(shop.id)).toEqual([]);
    });

    test('one is queued where a job met a loss, and for nothing else', async () => {
      const { catalog, queue, store, jobStore, readyBackup, repositoryOf, ...more } = await setUp();
      const { fixtures, shop, unfinished, finishAll, dispose } = more;
      await using _ = dispose;
      await repositoryOf(await readyBackup());
      const { id } = await fixtures.backup(shop);
      await finishAll();
      const job = await jobStore.get(id);
      if (job === undefined) throw new Error('No job.');
      const endings = createInspectAfterLoss({ queue, backups: store });
      const endedWith = async (code: 'storage-full' | 'blob-missing') => {
        const error = new HoldfastError(code, 'It failed.').toReport();
        await catalog.write(
          async (tx) => await endings.record(job, { state: 'failed', error, warnings: [] }, tx),
        );
      };
      await endedWith('storage-full');
      expect(await unfinished(shop.id)).toEqual([]);
      await endedWith('blob-missing');
      expect(await unfinished(shop.id)).toEqual(['inspect']);
    });
  });

  describe('backups that lost something', () => {
    test('are damaged until they are whole; what is deleted or was found otherwise stays as it is', async () => {
      const { catalog, store, readyBackup, repositoryOf, dispose } = await setUp();
      await using _ = dispose;
      const damage = createDamageStore(catalog);
      const [first, second, third] = [await readyBackup(), await readyBackup(), await readyBackup()];
      const repositoryId = await repositoryOf(first);
      await store.markDeleting(third);
      await catalog.write(async (tx) => {
        await damage.markDamaged(first, lost, tx);
        await damage.markDamaged(second, { ...lost, code: 'blob-damaged' }, tx);
        await damage.markDamaged(third, lost, tx);
      });
      expect(await store.get(first)).toMatchObject({ status: 'damaged', error: lost });
      expect(await store.get(third)).toMatchObject({ status: 'deleting', error: null });
      const { name, snapshotId, treeId } = sealedPart('uploads', 1);
      expect(await damage.listKept(repositoryId)).toEqual([
        { backupId: first, isDamaged: true, parts: [{ name, snapshotId, treeId }] },
      ]);
      await catalog.write(async (tx) => {
        await damage.markWhole(first, tx);
        await damage.markWhole(third, tx);
      });
      expect(await store.get(first)).toMatchObject({ status: 'ready', error: null });
      expect(await store.get(third)).toMatchObject({ status: 'deleting' });
    });
  });

  describe('removals', () => {
    test('take several backups of one environment in one job, which nothing restores meanwhile', async () => {
      const { catalog, jobs, removals, blog, readyBackup, dispose } = await setUp();
      await using _ = dispose;
      const [first, second] = [await readyBackup(), await readyBackup()];
      const other = await readyBackup(blog);
      await expect(removals.delete([first, other], 'tester')).rejects.toMatchObject({
        code: 'usage-invalid',
      });
      const job = await removals.delete([first, second], 'tester');
      expect(job).toMatchObject({ kind: 'delete', backupId: first });
      for (const id of [first, second]) {
        const found = await catalog.write(async (tx) => await jobs.unfinishedWith(id, 'delete', tx));
        expect(found).toMatchObject({ id: job.id });
      }
    });

    test('by rules answer that the environment is busy, and leave what is pinned', async () => {
      const { catalog, store, shop, removals, jobs, readyBackup, dispose } = await setUp();
      await using _ = dispose;
      const [first, second] = [await readyBackup(), await readyBackup()];
      await catalog.write(async (tx) => await store.setPin(second, 'kept', tx));
      const remove = async (...backupIds: BackupId[]) =>
        await removals.removeBackups({
          environmentId: shop.id,
          backupIds,
          createdBy: 'retention',
          reasons: ['Too old.'],
        });
      expect(await remove(second)).toEqual({ kind: 'nothing' });
      const queued = await remove(first, second);
      expect(queued).toMatchObject({
        kind: 'queued',
        backupIds: [first],
        job: { request: { kind: 'delete', backupIds: [first], isAsked: false, reasons: ['Too old.'] } },
      });
      expect(await remove(first)).toEqual({ kind: 'busy' });
      if (queued.kind === 'queued') await jobs.cancel(queued.job.id);
      await expect(removals.delete([second.slice(0, -1)], 'tester')).rejects.toMatchObject({
        code: 'backup-pinned',
      });
      expect(await removals.delete([second], 'tester')).toMatchObject({ backupId: second });
    });

    test('that were cut off leave a backup that nothing takes for ready again', async () => {
      const { catalog, store, readyBackup, dispose } = await setUp();
      await using _ = dispose;
      const removalStore = createRemovalStore(catalog);
      const id = await readyBackup();
      await store.markDeleting(id);
      await removalStore.markCutOff(id);
      expect(await store.get(id)).toMatchObject({ status: 'deleting', manifestSnapshotId: null });
      await store.markDeleting(id);
      await removalStore.markKept(id);
      expect(await store.get(id)).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });
    });
  });

  test('a pin counts at once, and a job writes it into the manifest; what never was ready takes none', async () => {
    const { catalog, store, jobs, shop, fixtures, readyBackup, dispose } = await setUp();
    await using _ = dispose;
    const pins = createPinService({ catalog, store, jobs });
    const id = await readyBackup();
    const job = await pins.set(id, 'before the move', 'tester');
    expect(job).toMatchObject({
      kind: 'revise',
      backupId: id,
      request: { kind: 'revise', pinReason: 'before the move' },
    });
    expect(await store.get(id)).toMatchObject({ pinReason: 'before the move' });
    await expect(pins.set(id, null, 'tester')).rejects.toMatchObject({ code: 'environment-busy' });
    expect(await store.get(id)).toMatchObject({ pinReason: 'before the move' });
    await jobs.cancel(job.id);
    const { backupId } = await fixtures.backup(shop);
    await expect(pins.set(backupId, 'x', 'tester')).rejects.toMatchObject({ code: 'backup-not-ready' });
    const revised = 'd'.repeat(64);
    await catalog.write(async (tx) => await store.markRevised(id, revised, tx));
    expect(await store.get(id)).toMatchObject({ manifestSnapshotId: revised });
  });
}
