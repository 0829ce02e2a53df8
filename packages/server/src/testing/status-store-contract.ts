import type { BackupKind, BackupMode, BackupStatus, EnvironmentId } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import type { Tx } from '../catalog/catalog.ts';
import { createIds } from '../catalog/ids.ts';
import { createNodeStore } from '../features/nodes/store.ts';
import { createStatusStore } from '../features/status/store.ts';
import { createVaultStore } from '../features/vaults/store.ts';
import { createFixtures } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

interface Made {
  readonly status: BackupStatus;
  readonly kind?: BackupKind;
  readonly mode?: BackupMode;
  readonly doubt?: string;
  readonly frozenMs?: number | null;
}

/** What is told of all environments at once, on every dialect. */
export function describeStatusStore(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const ids = createIds();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const fixtures = createFixtures(catalog, clock);
    const environments = await fixtures.environments('blog', 'shop', 'wiki');
    const [first] = environments;
    if (first === undefined) throw new Error('No environment.');
    const { backupId } = await fixtures.backup(first);
    const { repository_id: repositoryId } = await catalog.db
      .selectFrom('backup')
      .select('repository_id')
      .where('id', '=', backupId)
      .executeTakeFirstOrThrow();
    await catalog.db.deleteFrom('backup').execute();
    await catalog.db.deleteFrom('job').execute();

    /** Rows as jobs leave them; whose repository it is in makes no difference here. */
    async function make(environmentId: EnvironmentId, backups: readonly Made[], tx: Tx): Promise<void> {
      for (const [
        index,
        { status, kind = 'manual', mode = 'consistent', doubt, frozenMs = 85 },
      ] of backups.entries()) {
        const isReady = status === 'ready';
        await tx
          .insertInto('backup')
          .values({
            id: ids.backup(),
            environment_id: environmentId,
            repository_id: repositoryId,
            job_id: null,
            ...{ kind, mode, status, description: '', components: '[]', created_by: 'tester' },
            created_at: clock.now() + index * 1000,
            finished_at: clock.now() + index * 1000 + 400,
            expires_at: null,
            bytes: isReady ? index * 100 : null,
            stored_bytes: isReady ? index * 10 : null,
            manifest_snapshot_id: null,
            error:
              status === 'failed' ? JSON.stringify({ code: 'mover-failed', message: `No ${index}.` }) : null,
            capture: isReady
              ? JSON.stringify({ frozenMs, requestsHeld: null, longestWaitMs: null, unsteadyFiles: 0 })
              : null,
            made_no: index + 1,
            pin_reason: null,
            doubt: doubt ?? null,
          })
          .execute();
      }
    }
    const [blog, shop, wiki] = environments.map(({ id }) => id) as [
      EnvironmentId,
      EnvironmentId,
      EnvironmentId,
    ];
    return { catalog, clock, ids, make, blog, shop, wiki, store: createStatusStore(catalog), dispose: stack };
  }

  describe('how things stand', () => {
    test('backups are counted by environment, status and kind', async () => {
      const { catalog, make, blog, shop, store, dispose } = await setUp();
      await using _ = dispose;
      await catalog.write(async (tx) => {
        await make(
          blog,
          [{ status: 'ready' }, { status: 'ready' }, { status: 'failed', kind: 'automated' }],
          tx,
        );
        await make(shop, [{ status: 'damaged', kind: 'safety' }], tx);
      });
      const counts = await store.backupCounts();
      expect(counts).toHaveLength(3);
      expect(counts).toEqual(
        expect.arrayContaining([
          { environmentId: blog, status: 'ready', kind: 'manual', count: 2 },
          { environmentId: blog, status: 'failed', kind: 'automated', count: 1 },
          { environmentId: shop, status: 'damaged', kind: 'safety', count: 1 },
        ]),
      );
      expect(
        (await store.environments()).map(({ name, nodeName, isActive }) => [name, nodeName, isActive]),
      ).toEqual([
        ['blog', 'local', true],
        ['shop', 'local', true],
        ['wiki', 'local', true],
      ]);
    });

    test('what is doubtful and newer than all others is told, of each environment', async () => {
      const { catalog, make, blog, shop, store, dispose } = await setUp();
      await using _ = dispose;
      await catalog.write(async (tx) => {
        await make(
          blog,
          [
            { status: 'ready', doubt: 'older' },
            { status: 'ready' },
            { status: 'ready', doubt: 'it shrank' },
            { status: 'failed' },
          ],
          tx,
        );
        await make(shop, [{ status: 'ready', doubt: 'made up for' }, { status: 'ready' }], tx);
      });
      expect(await store.doubtfulBackups()).toMatchObject([{ environmentId: blog, doubt: 'it shrank' }]);
    });

    test('the last of each sort is the one that was made last; what is doubtful or of something else is none', async () => {
      const { catalog, clock, make, blog, shop, store, dispose } = await setUp();
      await using _ = dispose;
      await catalog.write(async (tx) => {
        await make(
          blog,
          [
            { status: 'ready', frozenMs: 20 },
            { status: 'ready', kind: 'automated', mode: 'live', frozenMs: null },
            { status: 'failed', kind: 'automated' },
            { status: 'failed', kind: 'imported' },
            { status: 'ready', kind: 'automated', mode: 'live', doubt: 'it shrank' },
            { status: 'ready', kind: 'safety' },
            { status: 'cancelled' },
          ],
          tx,
        );
        await make(
          shop,
          [{ status: 'cancelled' }, { status: 'failed' }, { status: 'queued' }, { status: 'failed' }],
          tx,
        );
      });
      const last = [...(await store.lastBackups())].sort((a, b) => a.madeNo - b.madeNo);
      const none = { bytes: null, storedBytes: null, frozenMs: null, durationMs: 400 };
      expect(last).toMatchObject([
        { environmentId: blog, status: 'ready', mode: 'consistent', madeNo: 1, frozenMs: 20, error: null },
        {
          environmentId: blog,
          status: 'ready',
          mode: 'live',
          madeNo: 2,
          bytes: 100,
          storedBytes: 10,
          frozenMs: null,
        },
        { environmentId: blog, status: 'failed', madeNo: 3, ...none, createdAtMs: clock.now() + 2000 },
        { environmentId: shop, status: 'failed', madeNo: 4, ...none, error: { message: 'No 3.' } },
      ]);
    });

    test('jobs are counted, and the one that waits for longest is known', async () => {
      const { catalog, clock, store, dispose } = await setUp();
      await using _ = dispose;
      expect([await store.jobCounts(), await store.oldestQueuedAtMs()]).toEqual([[], null]);
      const fixtures = createFixtures(catalog, clock);
      const [blog, shop] = await fixtures.environments('blog', 'shop');
      if (blog === undefined || shop === undefined) throw new Error('No environment.');
      const sinceMs = clock.now();
      await fixtures.backup(blog);
      clock.advance(5000);
      await fixtures.backup(shop);
      expect(await store.jobCounts()).toEqual([{ kind: 'backup', state: 'queued', count: 2 }]);
      expect(await store.oldestQueuedAtMs()).toBe(sinceMs);
    });

    test('messages that wait and that were given up are counted for each notification', async () => {
      const { catalog, clock, ids, store, dispose } = await setUp();
      await using _ = dispose;
      const row = (name: string) => ({
        ...{ id: ids.notification(), name, events: null, environments: null, allow_private: 0 as const },
        ...{ settings: '{}', sealed_settings: '', last_delivered_at: null, created_at: clock.now() },
      });
      const ops = { ...row('ops'), last_error: JSON.stringify({ atMs: 5, message: 'No.' }) };
      await catalog.db
        .insertInto('notification')
        .values([ops, { ...row('quiet'), last_error: null }])
        .execute();
      const delivery = (state: 'queued' | 'failed' | 'delivered', key: string) => ({
        ...{ id: ids.delivery(), notification_id: ops.id, event_key: key, message: '{}', state, attempts: 0 },
        ...{ next_attempt_at: 0, lease_until: null, error: null, created_at: 0, finished_at: null },
      });
      await catalog.db
        .insertInto('notification_delivery')
        .values([
          delivery('queued', 'a'),
          delivery('failed', 'b'),
          delivery('failed', 'c'),
          delivery('delivered', 'd'),
        ])
        .execute();
      expect(await store.deliveries()).toEqual([
        { name: 'ops', queued: 1, failed: 2, lastDeliveredAtMs: null, isFailing: true },
        { name: 'quiet', queued: 0, failed: 0, lastDeliveredAtMs: null, isFailing: false },
      ]);
    });

    test('of a vault, what it held when that was last counted is remembered', async () => {
      const { catalog, clock, ids, dispose } = await setUp();
      await using _ = dispose;
      const vaults = createVaultStore(catalog, clock);
      const { id, measured } = await vaults.ensure({ id: ids.vault(), name: 'second', location: '/second' });
      expect(measured).toBeNull();
      await vaults.noteMeasured(id, 2 ** 45);
      expect((await vaults.get(id))?.measured).toEqual({ bytes: 2 ** 45, atMs: clock.now() });
    });

    test('an environment on a node that was removed keeps its name', async () => {
      const { catalog, clock, ids, store, dispose } = await setUp();
      await using _ = dispose;
      const nodes = createNodeStore({ catalog, clock, ids });
      const [local] = await nodes.list();
      if (local === undefined) throw new Error('No node.');
      await catalog.write(async (tx) => await nodes.remove(local.id, tx));
      expect((await store.environments()).map(({ name }) => name)).toEqual(['blog', 'shop', 'wiki']);
    });
  });
}
