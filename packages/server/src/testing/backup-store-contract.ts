import type { BackupId, JobId, SealedPart } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createBackupStore } from '../features/backups/store.ts';
import type { EnvironmentRecord } from '../features/environments/environment-record.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { committedBackup, createFixtures, sealedPart } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

/** What backups promise, on every dialect. */
export function describeBackupStore(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const fixtures = createFixtures(catalog, clock);
    const store = createBackupStore({ catalog, clock });
    const jobs = createJobStore({ catalog, clock, ids: createIds() });
    const [shop, blog] = await fixtures.environments('shop', 'blog');
    if (shop === undefined || blog === undefined) throw new Error('No environments.');

    /** A backup whose job is out of the way, begun 1 ms after the one before. */
    async function backupOf(environment: EnvironmentRecord): Promise<BackupId> {
      clock.advance(1);
      const job = await fixtures.backup(environment);
      await catalog.write(async (tx) => await jobs.cancelQueued(job.id, tx));
      return job.backupId;
    }

    async function readyBackupOf(environment: EnvironmentRecord, ...parts: SealedPart[]): Promise<BackupId> {
      const id = await backupOf(environment);
      const committed = committedBackup(parts, clock.now() + 1);
      await catalog.write(async (tx) => await store.markReady(id, committed, tx));
      return id;
    }

    return { clock, catalog, store, jobs, shop, blog, backupOf, readyBackupOf, dispose: stack };
  }

  describe('backups', () => {
    test('go from queued to running to ready, with parts and sizes', async () => {
      const { store, catalog, shop, clock, backupOf, dispose } = await setUp();
      await using _ = dispose;
      const id = await backupOf(shop);
      expect(await store.get(id)).toMatchObject({
        status: 'queued',
        parts: [],
        bytes: null,
        environmentName: 'shop',
      });
      expect(await store.markRunning(id)).toBe(true);
      const parts = [sealedPart('uploads', 100), sealedPart('database', 51)];
      const committed = committedBackup(parts, clock.now() + 7);
      expect(await catalog.write(async (tx) => await store.markReady(id, committed, tx))).toBe(true);
      expect(await store.get(id)).toMatchObject({
        status: 'ready',
        parts,
        bytes: 151,
        storedBytes: 75,
        finishedAtMs: clock.now() + 7,
        manifestSnapshotId: 'c'.repeat(64),
      });
    });

    test('what is compared with are the good ones that were made before', async () => {
      const { store, catalog, shop, blog, backupOf, readyBackupOf, dispose } = await setUp();
      await using _ = dispose;
      const first = await readyBackupOf(shop, sealedPart('uploads', 100));
      const second = await readyBackupOf(shop, sealedPart('uploads', 90));
      const doubtful = await readyBackupOf(shop, sealedPart('uploads', 1));
      await catalog.write(async (tx) => await store.setDoubt(doubtful, 'uploads has shrunk.', tx));
      await readyBackupOf(blog, sealedPart('uploads', 1));
      const failed = await backupOf(shop);
      await store.markFailed(failed, { code: 'storage-full', message: 'Full.' });
      const next = await backupOf(shop);
      await readyBackupOf(shop, sealedPart('uploads', 3));
      const compared = { components: ['web'] };
      expect(await store.goodBefore(next, 10)).toEqual([
        { id: second, ...compared },
        { id: first, ...compared },
      ]);
      expect(await store.goodBefore(next, 1)).toEqual([{ id: second, ...compared }]);
      expect(await store.get(doubtful)).toMatchObject({ doubt: 'uploads has shrunk.' });
      await catalog.write(async (tx) => await store.setDoubt(doubtful, null, tx));
      expect(await store.goodBefore(next, 1)).toEqual([{ id: doubtful, ...compared }]);
    });

    test('a ready backup stays ready whatever comes late; a failed one never becomes ready', async () => {
      const { store, catalog, shop, backupOf, readyBackupOf, dispose } = await setUp();
      await using _ = dispose;
      const ready = await readyBackupOf(shop, sealedPart('uploads', 1));
      expect(await store.markFailed(ready, { code: 'internal', message: 'late' })).toBe(false);
      expect(await store.markCancelled(ready)).toBe(false);
      expect(await store.markRunning(ready)).toBe(false);
      const failed = await backupOf(shop);
      expect(await store.markFailed(failed, { code: 'storage-full', message: 'Full.' })).toBe(true);
      const committed = committedBackup([sealedPart('x', 1)], 1);
      expect(await catalog.write(async (tx) => await store.markReady(failed, committed, tx))).toBe(false);
      expect(await store.get(failed)).toMatchObject({
        status: 'failed',
        parts: [],
        error: { code: 'storage-full', message: 'Full.' },
      });
    });

    test('are removed with their parts', async () => {
      const { store, catalog, shop, readyBackupOf, dispose } = await setUp();
      await using _ = dispose;
      const id = await readyBackupOf(shop, sealedPart('uploads', 1));
      expect(await store.markDeleting(id)).toBe(true);
      await store.remove(id);
      expect(await store.get(id)).toBeUndefined();
      expect(await catalog.db.selectFrom('part').selectAll().execute()).toEqual([]);
    });

    test('are found by id and by a beginning that only one has', async () => {
      const { store, shop, backupOf, dispose } = await setUp();
      await using _ = dispose;
      const first = await backupOf(shop);
      const second = await backupOf(shop);
      expect(await store.find(first)).toMatchObject({ found: 'one', backup: { id: first } });
      expect(await store.find(second.slice('bak_'.length))).toMatchObject({
        found: 'one',
        backup: { id: second },
      });
      expect(await store.find('bak_')).toEqual({ found: 'several', ids: [first, second].sort() });
      expect(await store.find('bak_%')).toEqual({ found: 'none' });
      expect(await store.find(`${first}x`)).toEqual({ found: 'none' });
    });

    test('are listed newest first, page by page, also where some begin in the same millisecond', async () => {
      const { store, catalog, shop, blog, clock, backupOf, dispose } = await setUp();
      await using _ = dispose;
      for (let count = 0; count < 3; count += 1) {
        await backupOf(shop);
        await backupOf(blog);
      }
      await catalog.db.updateTable('backup').set({ created_at: clock.now() }).execute();
      await backupOf(shop);
      const all = await store.list({ limit: 100 });
      expect(all.next).toBeNull();
      expect(all.backups).toHaveLength(7);
      const paged: string[] = [];
      let page = await store.list({ limit: 2 });
      for (;;) {
        paged.push(...page.backups.map((backup) => backup.id));
        if (page.next === null) break;
        page = await store.list({ limit: 2, after: page.next });
      }
      expect(paged).toEqual(all.backups.map((backup) => backup.id));
      expect((await store.list({ limit: 100, environmentId: blog.id })).backups).toHaveLength(3);
      expect((await store.list({ limit: 100, status: 'ready' })).backups).toEqual([]);
    });

    test('safety backups are told apart: by their kind, by the restore that made them, and not as parents', async () => {
      const { store, catalog, shop, readyBackupOf, dispose } = await setUp();
      await using _ = dispose;
      const manual = await readyBackupOf(shop, sealedPart('uploads', 1));
      const safety = await readyBackupOf(shop, sealedPart('uploads', 2));
      await catalog.db.updateTable('backup').set({ kind: 'safety' }).where('id', '=', safety).execute();
      const idsOf = async (filter: { kind?: 'safety'; notKind?: 'safety' }) =>
        (await store.list({ limit: 100, ...filter })).backups.map(({ id }) => id);
      expect(await idsOf({ kind: 'safety' })).toEqual([safety]);
      expect(await idsOf({ notKind: 'safety' })).toEqual([manual]);
      const jobOf = async (id: BackupId) => (await store.get(id))?.jobId ?? ('none' as JobId);
      expect((await store.safetyOf(await jobOf(safety)))?.id).toBe(safety);
      expect(await store.safetyOf(await jobOf(manual))).toBeUndefined();
      expect((await store.lastReadyParts(shop.id)).get('uploads')?.bytes).toBe(1);
    });

    test('imported backups become ready too, and are no parents', async () => {
      const { store, catalog, shop, backupOf, readyBackupOf, dispose } = await setUp();
      await using _ = dispose;
      await readyBackupOf(shop, sealedPart('uploads', 1));
      const imported = await backupOf(shop);
      await catalog.db.updateTable('backup').set({ kind: 'imported' }).where('id', '=', imported).execute();
      expect(await store.markImporting(imported)).toBe(true);
      expect(await store.markImporting(imported)).toBe(true);
      expect(await store.get(imported)).toMatchObject({ status: 'importing' });
      const committed = committedBackup([sealedPart('uploads', 2)], 1);
      expect(await catalog.write(async (tx) => await store.markReady(imported, committed, tx))).toBe(true);
      expect((await store.lastReadyParts(shop.id)).get('uploads')?.bytes).toBe(1);
      const [failed, cancelled] = [await backupOf(shop), await backupOf(shop)];
      for (const each of [failed, cancelled]) await store.markImporting(each);
      expect(await store.markFailed(failed, { code: 'archive-damaged', message: '' })).toBe(true);
      expect(await store.markCancelled(cancelled)).toBe(true);
      expect(await store.markImporting(failed)).toBe(false);
    });

    test('the last ready parts are the newest of each name, of this environment only', async () => {
      const { store, catalog, shop, blog, backupOf, readyBackupOf, dispose } = await setUp();
      await using _ = dispose;
      await readyBackupOf(shop, sealedPart('uploads', 1), sealedPart('gone', 2));
      await readyBackupOf(shop, sealedPart('uploads', 3));
      await readyBackupOf(blog, sealedPart('uploads', 4), sealedPart('other', 5));
      const failed = await backupOf(shop);
      await store.markFailed(failed, { code: 'internal', message: '' });
      const deleting = await readyBackupOf(shop, sealedPart('uploads', 9));
      await store.markDeleting(deleting);
      const parts = await store.lastReadyParts(shop.id);
      expect([...parts].map(([name, part]) => [name, part.bytes]).sort()).toEqual([
        ['gone', 2],
        ['uploads', 3],
      ]);
      expect(await catalog.db.selectFrom('backup').selectAll().execute()).toHaveLength(5);
    });
  });
}
