import { randomBytes } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';
import { environmentIdSchema, type FoundBackup, manifestSchema } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createRemovalStore } from '../features/backups/removal/removal-store.ts';
import { createBackupStore } from '../features/backups/store.ts';
import { createEnvironmentStore } from '../features/environments/store.ts';
import { createLogStore } from '../features/jobs/log-store.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createNodeStore } from '../features/nodes/store.ts';
import type { ReadRepositories } from '../features/rebuild/read-repository.ts';
import { rebuildCatalog } from '../features/rebuild/rebuild-catalog.ts';
import { createRebuildStore } from '../features/rebuild/store.ts';
import { createRepositoryStore } from '../features/repositories/store.ts';
import { createVaultStore } from '../features/vaults/store.ts';
import { createSealer } from '../secrets/sealer.ts';
import { createFixtures, sealedPart } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

interface FakeRepository {
  readonly backups: readonly FoundBackup[];
  readonly warnings?: readonly string[];
  readonly failure?: HoldfastError;
  /** Own passwords that became keys. */
  readonly passwords: Set<string>;
}

/** What a rebuild promises of the rows, on every dialect; movers that read a vault are played. */
export function describeRebuild(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const ids = createIds();
    const store = createRebuildStore({ catalog, clock, ids });
    const vaultFolders = new Map<string, FakeRepository>();
    const vault = { id: ids.vault(), name: 'default', location: '/vault' };
    const { id: nodeId } = await createNodeStore({ catalog, clock, ids }).ensure('local', 'unix:///none');
    const shop = { id: ids.environment(), name: 'shop' };

    const readRepositories: ReadRepositories = async ({ repository: { location }, ownPassword }) => {
      const repository = vaultFolders.get(location.slice('/vault/'.length));
      if (repository === undefined) throw new Error(`nobody asked for ${location}`);
      if (repository.failure !== undefined) throw repository.failure;
      return {
        backups: repository.backups,
        warnings: repository.warnings ?? [],
        commit: async () => void repository.passwords.add(ownPassword),
        [Symbol.asyncDispose]: async () => {},
      };
    };

    function found(
      environment: { readonly id: string; readonly name: string },
      changes: Partial<FoundBackup['manifest']> = {},
      missingParts: readonly string[] = [],
    ): FoundBackup {
      clock.advance(1000);
      const manifest = manifestSchema.parse({
        version: 1,
        revision: 1,
        backupId: ids.backup(),
        kind: 'manual',
        mode: 'consistent',
        description: 'before the fall',
        environment: { ...environment, type: 'staging', node: 'local', folder: '/srv/app' },
        createdAtMs: clock.now() - 500,
        finishedAtMs: clock.now(),
        expiresAtMs: clock.now() + 86_400_000,
        createdBy: 'somebody',
        policy: null,
        pinReason: null,
        parts: [sealedPart('uploads', 100), sealedPart('ledger', 20)],
        capture: { frozenMs: 85, requestsHeld: null, longestWaitMs: null, unsteadyFiles: 1 },
        log: [
          { timeMs: 1, level: 'info', message: 'Reading' },
          { timeMs: 2, level: 'warn', message: 'A file changed' },
        ],
        ...changes,
      });
      return {
        manifest,
        manifestSnapshotId: randomBytes(32).toString('hex'),
        missingParts: [...missingParts],
      };
    }

    function put(folder: string, backups: readonly FoundBackup[], more: Partial<FakeRepository> = {}) {
      const repository: FakeRepository = { backups, passwords: new Set(), ...more };
      vaultFolders.set(folder, repository);
      return repository;
    }

    async function rebuild(broken: readonly string[] = [], sealer = sealerOfCatalog) {
      expect(await store.takeVault(vault)).toBe(true);
      return await rebuildCatalog({
        catalog,
        store,
        readRepositories,
        sealer,
        ids,
        vault,
        accessTo: (folder) => ({ location: `/vault/${folder}` }),
        folders: { whole: [...vaultFolders.keys()], broken: [...broken] },
        nodeId,
        recoveryKey: 'recovery key',
        onKeyProven: async () => {},
        onTaken: () => {},
        onWarning: () => {},
        signal: new AbortController().signal,
      });
    }
    const sealerOfCatalog = createSealer(randomBytes(32));

    const backups = createBackupStore({ catalog, clock });
    const environments = createEnvironmentStore({ catalog, clock, ids });
    /** Every row of the tables that a rebuild writes. */
    const rows = async () =>
      JSON.stringify(
        await Promise.all(
          (['vault', 'environment', 'repository', 'backup', 'part', 'job', 'job_log'] as const).map(
            async (table) => await catalog.db.selectFrom(table).selectAll().execute(),
          ),
        ),
      );
    return {
      ...{ catalog, clock, ids, store, vault, nodeId, shop, backups, environments, sealer: sealerOfCatalog },
      ...{ found, put, rebuild, rows, dispose: stack },
    };
  }

  describe('a rebuild', () => {
    test('brings back environments and backups as their manifests say, and changes nothing when run again', async () => {
      const { catalog, ids, shop, found, put, rebuild, rows, backups, environments, sealer, dispose } =
        await setUp();
      await using _ = dispose;
      const first = found(shop, { kind: 'imported', mode: 'live' });
      const second = found(shop);
      const repository = put('shop-1', [second, first]);
      put('blog-1', [found({ id: ids.environment(), name: 'blog' })]);
      expect(await rebuild()).toEqual({
        repositories: [
          { folder: 'shop-1', environmentId: shop.id, environmentName: 'shop', added: 2, known: 0 },
          expect.objectContaining({ environmentName: 'blog', added: 1, known: 0 }),
        ],
        warnings: [],
      });

      const { manifest } = second;
      const jobs = createJobStore({ catalog, clock: createManualClock(), ids });
      const backup = await backups.get(manifest.backupId);
      expect(backup).toMatchObject({
        status: 'ready',
        environmentId: shop.id,
        environmentName: 'shop',
        kind: 'manual',
        mode: 'consistent',
        description: 'before the fall',
        createdBy: 'somebody',
        createdAtMs: manifest.createdAtMs,
        finishedAtMs: manifest.finishedAtMs,
        expiresAtMs: manifest.expiresAtMs,
        bytes: 120,
        storedBytes: 60,
        components: ['web'],
        capture: manifest.capture,
        manifestSnapshotId: second.manifestSnapshotId,
        error: null,
        parts: manifest.parts,
      });
      const jobId = backup?.jobId ?? ids.job();
      expect(await jobs.get(jobId)).toMatchObject({ state: 'warnings', warnings: ['A file changed'] });
      const log = await createLogStore(catalog).list(jobId, 0, 10);
      expect(log.map(({ line }) => line)).toEqual(manifest.log);
      expect(await environments.get(shop.id)).toMatchObject({
        name: 'shop',
        project: 'shop',
        type: 'staging',
        folder: '/srv/app',
        state: 'inactive',
        firstSeenAtMs: first.manifest.createdAtMs,
        lastSeenAtMs: manifest.createdAtMs,
        lastBackupAtMs: manifest.createdAtMs,
        seen: { components: [{ name: 'web', instances: [] }] },
      });
      // Its password is one that became a key.
      const row = await createRepositoryStore(catalog, createManualClock()).get(
        backup?.repositoryId ?? ids.repository(),
      );
      expect(row?.initializedAtMs).not.toBeNull();
      expect([...repository.passwords]).toEqual([sealer.unseal(row?.sealedPassword ?? '', row?.id ?? '')]);

      const before = await rows();
      expect(await rebuild()).toMatchObject({
        repositories: [
          { added: 0, known: 2 },
          { added: 0, known: 1 },
        ],
        warnings: [],
      });
      expect(await rows()).toBe(before);
      expect(repository.passwords.size).toBe(1);
    });

    test('takes in what is missing, and leaves what the catalog knows better', async () => {
      const { shop, found, put, rebuild, backups, dispose } = await setUp();
      await using _ = dispose;
      const first = found(shop);
      put('shop-1', [first]);
      await rebuild();
      await backups.markDeleting(first.manifest.backupId);
      put('shop-1', [first, found(shop)]);
      expect(await rebuild()).toMatchObject({ repositories: [{ added: 1, known: 1 }] });
      expect(await backups.get(first.manifest.backupId)).toMatchObject({ status: 'deleting' });
    });

    test('a backup that was pinned is so again', async () => {
      const { shop, found, put, rebuild, backups, dispose } = await setUp();
      await using _ = dispose;
      const pinned = found(shop, { revision: 2, pinReason: 'before the move' });
      put('shop-1', [pinned]);
      await rebuild();
      expect(await backups.get(pinned.manifest.backupId)).toMatchObject({ pinReason: 'before the move' });
    });

    test('a backup that has lost a part is damaged, and stays so when its deletion does not begin', async () => {
      const { catalog, shop, found, put, rebuild, backups, dispose } = await setUp();
      await using _ = dispose;
      const whole = found(shop);
      const damaged = found(shop, {}, ['ledger']);
      put('shop-1', [whole, damaged]);
      const { warnings } = await rebuild();
      expect(warnings).toEqual([`shop-1: The backup ${damaged.manifest.backupId} has lost ledger.`]);
      const id = damaged.manifest.backupId;
      expect(await backups.get(id)).toMatchObject({ status: 'damaged', error: { code: 'blob-missing' } });
      for (const [backup, status] of [
        [id, 'damaged'],
        [whole.manifest.backupId, 'ready'],
      ] as const) {
        await backups.markDeleting(backup);
        await createRemovalStore(catalog).markKept(backup);
        expect(await backups.get(backup)).toMatchObject({ status });
      }
    });

    test('a repository that cannot be read does not keep the others; where none can, that is the failure', async () => {
      const { shop, found, put, rebuild, dispose } = await setUp();
      await using _ = dispose;
      const failure = new HoldfastError('password-wrong', 'It does not open.');
      put('blog-1', [], { failure });
      await expect(rebuild()).rejects.toBe(failure);
      put('shop-1', [found(shop)], { warnings: ['A snapshot cannot be read.'] });
      put('void-1', []);
      const { repositories, warnings } = await rebuild(['torn-1']);
      expect(repositories).toMatchObject([{ folder: 'shop-1', added: 1 }, { environmentId: null }]);
      expect(warnings).toEqual([
        expect.stringMatching(/^torn-1: It was not taken in\. \/vault\/torn-1 was a repository/),
        expect.stringMatching(/^blog-1: It was not taken in\. It does not open\./),
        'shop-1: A snapshot cannot be read.',
        expect.stringMatching(/^void-1: It holds no backup/),
      ]);
    });

    test('an environment that was only seen gets its old id back, also where the vault has', async () => {
      const { catalog, clock, ids, vault, nodeId, shop, found, put, rebuild, environments, dispose } =
        await setUp();
      await using _ = dispose;
      const [seen] = await createFixtures(catalog, clock).environments('shop');
      expect(seen).toMatchObject({ nodeId, state: 'active' });
      const old = { id: ids.vault(), name: 'default', location: '/old' };
      await createVaultStore(catalog, clock).ensure(old);
      put('shop-1', [found(shop)]);
      await rebuild();
      expect(await environments.list()).toEqual([
        { ...seen, id: shop.id, lastBackupAtMs: expect.any(Number) },
      ]);
      const vaults = await catalog.db.selectFrom('vault').select(['id', 'location']).execute();
      expect(vaults).toEqual([{ id: vault.id, location: '/vault' }]);
    });

    test('an environment of the same name that has backups of its own is in the way; so is a second repository', async () => {
      const { catalog, clock, ids, shop, vault, found, put, rebuild, rows, store, dispose } = await setUp();
      await using _ = dispose;
      const fixtures = createFixtures(catalog, clock);
      const [busy] = await fixtures.environments('shop');
      if (busy === undefined) throw new Error('No environment.');
      await fixtures.backup(busy);
      expect(await store.takeVault(vault)).toBe(false);
      await catalog.db.deleteFrom('backup').execute();
      await catalog.db.deleteFrom('repository').execute();
      expect(await store.takeVault(vault)).toBe(true);

      put('shop-1', [found(shop)]);
      const before = await rows();
      await expect(rebuild()).rejects.toMatchObject({ code: 'repository-exists' });
      expect(await rows()).toBe(before);

      const blog = { id: ids.environment(), name: 'blog' };
      const copied = put('blog-1', [found(blog)]);
      const copy = put('blog-1.copy', copied.backups);
      const { repositories, warnings } = await rebuild();
      expect(repositories).toMatchObject([{ folder: 'blog-1' }]);
      expect(warnings).toMatchObject([/^shop-1: /, /^blog-1\.copy: .*another repository/].map(matching));
      expect(copy.passwords.size).toBe(0);
    });

    test('a backup of another environment is named, and not taken for one of this', async () => {
      const { ids, shop, found, put, rebuild, backups, dispose } = await setUp();
      await using _ = dispose;
      const stray = found({ id: environmentIdSchema.parse(ids.environment()), name: 'stray' });
      put('shop-1', [stray, found(shop)]);
      const { repositories, warnings } = await rebuild();
      expect(repositories).toMatchObject([{ environmentId: shop.id, added: 1 }]);
      expect(warnings).toMatchObject([matching(/another environment, stray/)]);
      expect(await backups.get(stray.manifest.backupId)).toBeUndefined();
    });

    test('a password that nobody can read any more gives way to a new one, and only such', async () => {
      const { shop, found, put, rebuild, rows, dispose } = await setUp();
      await using _ = dispose;
      const repository = put('shop-1', [found(shop)]);
      await rebuild();
      const other = createSealer(randomBytes(32));
      expect(await rebuild([], other)).toMatchObject({ warnings: [] });
      expect(repository.passwords.size).toBe(2);
      const before = await rows();
      await rebuild([], other);
      expect(await rows()).toBe(before);
    });
  });
}

function matching(pattern: RegExp) {
  return expect.stringMatching(pattern);
}
