import { randomBytes } from 'node:crypto';
import { HoldfastError } from '@holdfast/base';
import { describe, expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createEnvironmentStore } from '../features/environments/store.ts';
import type { JobRecord } from '../features/jobs/job-record.ts';
import { createLogStore } from '../features/jobs/log-store.ts';
import { createJobService } from '../features/jobs/service.ts';
import { createJobStore } from '../features/jobs/store.ts';
import { createNodeStore } from '../features/nodes/store.ts';
import {
  type AdoptionRequest,
  createAdoptionService,
} from '../features/rebuild/adoption/adoption-service.ts';
import { createAdoptionStore } from '../features/rebuild/adoption/adoption-store.ts';
import { createRebuildStore } from '../features/rebuild/store.ts';
import { createVaultContents } from '../features/vaults/contents-store.ts';
import type { VaultService } from '../features/vaults/service.ts';
import { createVaultStore } from '../features/vaults/store.ts';
import { createSealer } from '../secrets/sealer.ts';
import { createFixtures } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

/** What an adoption promises of the rows before its job begins, on every dialect; what lies in the vault is played. */
export function describeAdoption(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    const ids = createIds();
    const sealer = createSealer(randomBytes(32));
    const store = createAdoptionStore({ catalog, clock, ids });
    const rebuild = createRebuildStore({ catalog, clock, ids });
    const jobStore = createJobStore({ catalog, clock, ids });
    const environments = createEnvironmentStore({ catalog, clock, ids });
    const vaultStore = createVaultStore(catalog, clock);
    const { id: nodeId } = await createNodeStore({ catalog, clock, ids }).ensure('local', 'unix:///none');
    const vault = await vaultStore.ensure({ id: ids.vault(), name: 'nas', location: '/nas' });
    const folders = new Set(['laptop', 'hosts/My Desk', 'shop-0123']);
    const vaults: Pick<VaultService, 'find' | 'findRepositories' | 'requireRepository'> = {
      find: async () => vault,
      findRepositories: async () => ({ whole: [...folders].sort(), broken: ['torn'] }),
      requireRepository: async (_vault, folder) => {
        if (!folders.has(folder)) throw new HoldfastError('repository-missing', 'There is none.');
      },
    };
    const jobs = createJobService({
      catalog,
      store: jobStore,
      logs: createLogStore(catalog),
      onCancelledInQueue: async () => {},
      onWake: () => {},
    });
    const service = createAdoptionService({
      ...{ catalog, store, jobs, vaults, sealer },
      repositories: rebuild,
      localNode: async () => nodeId,
    });
    const adopt = async (request: Partial<AdoptionRequest> = {}) =>
      await service.adopt('nas', {
        folder: 'laptop',
        password: "the owner's",
        environment: undefined,
        isDryRun: false,
        createdBy: 'tester',
        ...request,
      });
    /** As its job does in the end. */
    const take = async ({ id, environmentId }: JobRecord, folder = 'laptop', own = 'own'): Promise<void> => {
      const repositoryId = ids.repository();
      await jobs.cancel(id);
      await catalog.write(async (tx) => {
        await store.show(environmentId, tx);
        const sealedPassword = sealer.seal(own, repositoryId);
        await rebuild.addRepository(
          vault.id,
          { id: repositoryId, environmentId, folder, sealedPassword },
          tx,
        );
      });
    };
    const names = async () => (await environments.list()).map(({ name }) => name);
    return {
      ...{ catalog, service, store, jobs, sealer, vault, nodeId, environments, adopt, take, names },
      ...{ contents: createVaultContents(catalog), fixtures: createFixtures(catalog, clock) },
      dispose: stack,
    };
  }

  describe('an adoption', () => {
    test('is a job of an environment that nobody is shown before it has backups; its passwords are sealed', async () => {
      const { adopt, names, take, sealer, vault, catalog, contents, dispose } = await setUp();
      await using _ = dispose;
      const job = await adopt();
      expect(job).toMatchObject({ kind: 'adopt', environmentName: 'laptop', backupId: null });
      expect(JSON.stringify(job)).not.toContain('owner');
      const { request } = job;
      if (request.kind !== 'adopt' || request.opens.kind !== 'password') throw new Error('another job');
      expect(sealer.unseal(request.opens.sealedPassword, job.environmentId)).toBe("the owner's");
      expect(sealer.unseal(request.opens.sealedOwnPassword, job.environmentId)).toMatch(/^[0-9a-f]{64}$/);
      expect(await names()).toEqual([]);
      expect(await catalog.write(async (tx) => await contents.unfinishedJob(vault.id, tx))).toBe(job.id);
      await expect(adopt({ environment: 'other' })).rejects.toMatchObject({ code: 'environment-busy' });
      await take(job);
      expect(await names()).toEqual(['laptop']);
      expect(await catalog.write(async (tx) => await contents.unfinishedJob(vault.id, tx))).toBe(undefined);
    });

    test('that failed is asked for again, of the same environment', async () => {
      const { adopt, jobs, names, dispose } = await setUp();
      await using _ = dispose;
      const first = await adopt();
      await jobs.cancel(first.id);
      expect((await adopt({ password: 'another' })).environmentId).toBe(first.environmentId);
      expect(await names()).toEqual([]);
    });

    test('of what was adopted needs no password; of another environment it is refused', async () => {
      const { adopt, take, sealer, dispose } = await setUp();
      await using _ = dispose;
      const first = await adopt();
      await take(first, 'laptop', 'its own');
      const { request, environmentId } = await adopt({ password: undefined });
      expect(environmentId).toBe(first.environmentId);
      if (request.kind !== 'adopt' || request.opens.kind !== 'password') throw new Error('another job');
      expect(sealer.unseal(request.opens.sealedPassword, environmentId)).toBe('its own');
      const folder = 'hosts/My Desk';
      await expect(adopt({ folder, environment: 'laptop' })).rejects.toMatchObject({
        code: 'repository-exists',
        hint: expect.stringContaining('Choose another environment'),
      });
    });

    test("of another environment's repository is refused, and says whose it is", async () => {
      const { adopt, take, dispose } = await setUp();
      await using _ = dispose;
      await take(await adopt({ environment: 'notebook' }));
      await expect(adopt()).rejects.toMatchObject({
        code: 'repository-exists',
        message: expect.stringContaining('of the environment notebook already'),
        hint: expect.stringContaining('--environment notebook'),
      });
      expect(await adopt({ environment: 'notebook', password: undefined })).toMatchObject({
        environmentName: 'notebook',
      });
    });

    test('takes an environment that is there only where that is said', async () => {
      const { adopt, fixtures, dispose } = await setUp();
      await using _ = dispose;
      const [laptop] = await fixtures.environments('laptop');
      await expect(adopt()).rejects.toMatchObject({
        code: 'environment-exists',
        hint: expect.stringContaining('vault:adopt nas laptop --environment laptop'),
      });
      expect(await adopt({ environment: 'laptop' })).toMatchObject({ environmentId: laptop?.id });
    });

    test('names a new environment as Compose would; a name that is given has to be one', async () => {
      const { adopt, dispose } = await setUp();
      await using _ = dispose;
      expect(await adopt({ folder: 'hosts/My Desk' })).toMatchObject({ environmentName: 'my-desk' });
      await expect(adopt({ environment: 'My Laptop' })).rejects.toMatchObject({ code: 'usage-invalid' });
      for (const folder of ['', '.', '../laptop', '/laptop', 'laptop/', 'a//b', 'a\n']) {
        await expect(adopt({ folder })).rejects.toMatchObject({ code: 'usage-invalid' });
      }
      await expect(adopt({ folder: 'nothing' })).rejects.toMatchObject({ code: 'repository-missing' });
      await expect(adopt({ password: undefined })).rejects.toMatchObject({ code: 'usage-invalid' });
    });

    test('of all that is not known is one job for each, which moves to the environment that it finds', async () => {
      const { service, adopt, take, store, catalog, jobs, fixtures, names, dispose } = await setUp();
      await using _ = dispose;
      await take(await adopt());
      const all = { isDryRun: false, createdBy: 'tester' };
      const { jobs: queued, broken } = await service.adoptOwn('nas', all);
      expect(queued.map(({ environmentName }) => environmentName)).toEqual([
        'nas/hosts/My Desk',
        'nas/shop-0123',
      ]);
      expect(broken).toEqual(['torn']);
      expect((await service.adoptOwn('nas', all)).jobs).toEqual([]);

      const [shop, busy] = await fixtures.environments('shop', 'busy');
      const [first, second] = queued;
      if (first === undefined || second === undefined || shop === undefined || busy === undefined)
        throw new Error('nothing was queued');
      await fixtures.backup(busy);
      await catalog.write(async (tx) => {
        await store.moveJob(first.id, busy.id, tx);
        await store.moveJob(second.id, shop.id, tx);
      });
      expect(await jobs.get(first.id)).toMatchObject({ environmentName: 'nas/hosts/My Desk' });
      expect(await jobs.get(second.id)).toMatchObject({ environmentName: 'shop' });
      expect(await names()).toEqual(['busy', 'laptop', 'shop']);
      const held = await catalog.db
        .selectFrom('environment')
        .select('id')
        .where('name', 'like', 'nas/%')
        .execute();
      expect(held.map(({ id }) => id)).toEqual([first.environmentId]);
    });

    test('a Compose project that starts under the name meanwhile is shown like any other', async () => {
      const { adopt, fixtures, names, dispose } = await setUp();
      await using _ = dispose;
      const { environmentId } = await adopt();
      const [laptop] = await fixtures.environments('laptop');
      expect(laptop).toMatchObject({ id: environmentId, state: 'active' });
      expect(await names()).toEqual(['laptop']);
    });
  });
}
