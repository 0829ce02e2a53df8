import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createBackupStore } from '../features/backups/store.ts';
import { createEnvironmentStore } from '../features/environments/store.ts';
import { createJournalStore } from '../features/jobs/journal-store.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createNodeStore } from '../features/nodes/store.ts';
import { committedBackup, createFixtures, discoveredEnvironment, sealedPart } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

/** What environments promise, on every dialect. */
export function describeEnvironmentStore(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const ids = createIds();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const node = await createNodeStore({ catalog, clock, ids }).ensure('local', 'unix:///none');
    return {
      clock,
      ids,
      catalog,
      node,
      store: createEnvironmentStore({ catalog, clock, ids }),
      dispose: stack,
    };
  }

  describe('environments', () => {
    test('keep their id and what was last seen when they go and come back', async () => {
      const { store, node, clock, dispose } = await setUp();
      await using _ = dispose;
      await store.sync(node.id, [discoveredEnvironment('shop'), discoveredEnvironment('blog')]);
      const [blog, shop] = await store.list();
      expect([blog?.name, shop?.name]).toEqual(['blog', 'shop']);
      expect(shop).toMatchObject({
        state: 'active',
        seen: discoveredEnvironment('shop').seen,
        nodeName: 'local',
      });

      clock.advance(1000);
      await store.sync(node.id, [discoveredEnvironment('blog')]);
      const [, gone] = await store.list();
      expect(gone).toEqual({ ...shop, state: 'inactive' });

      await store.sync(node.id, [{ ...discoveredEnvironment('shop'), folder: '/elsewhere' }]);
      const [idle, back] = await store.list();
      expect(back).toEqual({ ...shop, folder: '/elsewhere', lastSeenAtMs: clock.now() });
      expect(idle?.state).toBe('inactive');
      await store.sync(node.id, []);
      expect((await store.list()).map((environment) => environment.state)).toEqual(['inactive', 'inactive']);
    });

    test('of another node stay as they are', async () => {
      const { store, node, ids, catalog, clock, dispose } = await setUp();
      await using _ = dispose;
      const other = await createNodeStore({ catalog, clock, ids }).ensure('other', 'tcp://other');
      await store.sync(node.id, [discoveredEnvironment('shop')]);
      await store.sync(other.id, [discoveredEnvironment('shop')]);
      await store.sync(node.id, []);
      expect((await store.list()).map(({ nodeName, state }) => [nodeName, state])).toEqual([
        ['local', 'inactive'],
        ['other', 'active'],
      ]);
    });

    test('tell their last ready backup, and an unfinished restore once its job is over', async () => {
      const { catalog, clock, ids, store, dispose } = await setUp();
      await using _ = dispose;
      const fixtures = createFixtures(catalog, clock);
      const [shop] = await fixtures.environments('shop');
      if (shop === undefined) throw new Error('No environment.');
      expect(shop).toMatchObject({ lastBackupAtMs: null, unfinishedRestore: null });
      const job = await fixtures.backup(shop);
      const backupId = job.backupId;
      const createdAtMs = clock.now();
      expect(await store.get(shop.id)).toMatchObject({ lastBackupAtMs: null });
      const committed = committedBackup([sealedPart('a', 1)], 9);
      const backups = createBackupStore({ catalog, clock });
      await catalog.write(async (tx) => await backups.markReady(backupId, committed, tx));
      await createJournalStore(catalog).write({
        environmentId: shop.id,
        backupId,
        jobId: job.id,
        containers: [],
        startedAtMs: 5,
        reason: 'Cut off.',
      });
      expect(await store.get(shop.id)).toMatchObject({ unfinishedRestore: null });
      const jobs = createJobStore({ catalog, clock, ids });
      await catalog.write(async (tx) => await jobs.cancelQueued(job.id, tx));
      expect(await store.get(shop.id)).toMatchObject({
        lastBackupAtMs: createdAtMs,
        unfinishedRestore: { jobId: job.id, backupId, startedAtMs: 5, reason: 'Cut off.' },
      });
    });
  });
}
