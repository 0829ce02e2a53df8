import { rights } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { createIds } from '../catalog/ids.ts';
import { createNodeStore } from '../features/nodes/store.ts';
import { createRepositoryStore } from '../features/repositories/store.ts';
import { createTokenStore } from '../features/tokens/store.ts';
import { createVaultStore } from '../features/vaults/store.ts';
import { createFixtures } from './fixtures.ts';
import { createManualClock } from './manual-clock.ts';
import type { MakeTestDatabase } from './test-catalogs.ts';

/** What nodes, vaults, repositories and tokens promise, on every dialect. */
export function describeSmallStores(makeDatabase: MakeTestDatabase): void {
  async function setUp() {
    const stack = new AsyncDisposableStack();
    const clock = createManualClock();
    const catalog = stack.use(await stack.use(await makeDatabase()).open(clock));
    return { clock, ids: createIds(), catalog, dispose: stack };
  }

  test('a node keeps its id when its address changes', async () => {
    const { catalog, clock, ids, dispose } = await setUp();
    await using _ = dispose;
    const nodes = createNodeStore({ catalog, clock, ids });
    const first = await nodes.ensure('local', 'unix:///a');
    await nodes.setEngineId(first.id, 'engine');
    expect(await nodes.ensure('local', 'unix:///b')).toEqual({
      ...first,
      dockerHost: 'unix:///b',
      engineId: 'engine',
    });
  });

  test('a node is added once by its name and its engine; one that was removed is the same when it is back', async () => {
    const { catalog, clock, ids, dispose } = await setUp();
    await using _ = dispose;
    const nodes = createNodeStore({ catalog, clock, ids });
    const first = await nodes.add({ name: 'first', dockerHost: 'unix:///a', engineId: 'a' });
    const exists = { code: 'node-exists' };
    await expect(nodes.add({ name: 'first', dockerHost: 'unix:///b', engineId: 'b' })).rejects.toMatchObject(
      exists,
    );
    await expect(nodes.add({ name: 'b', dockerHost: 'tcp://a', engineId: 'a' })).rejects.toMatchObject(
      exists,
    );
    const second = await nodes.add({ name: 'second', dockerHost: 'unix:///b', engineId: 'b' });
    expect(await nodes.list()).toEqual([first, second]);
    await catalog.write(async (tx) => await nodes.remove(first.id, tx));
    expect(await nodes.list()).toEqual([second]);
    await expect(nodes.add({ name: 'first', dockerHost: 'unix:///c', engineId: 'c' })).rejects.toMatchObject(
      exists,
    );
    await expect(nodes.add({ name: 'second', dockerHost: 'tcp://a', engineId: 'a' })).rejects.toMatchObject(
      exists,
    );
    const back = await nodes.add({ name: 'back', dockerHost: 'tcp://a', engineId: 'a' });
    expect(back).toEqual({ ...first, name: 'back', dockerHost: 'tcp://a' });
    expect(await nodes.list()).toEqual([back, second]);
  });

  test('a vault keeps its id when it moves', async () => {
    const { catalog, clock, ids, dispose } = await setUp();
    await using _ = dispose;
    const vaults = createVaultStore(catalog, clock);
    const first = await vaults.ensure({ id: ids.vault(), name: 'default', location: '/a' });
    const moved = await vaults.ensure({ id: ids.vault(), name: 'default', location: '/b' });
    expect(moved).toEqual({ ...first, location: '/b' });
    expect(await vaults.list()).toEqual([moved]);
    expect(await vaults.get(first.id)).toEqual(moved);
    expect(await vaults.getByName('default')).toEqual(moved);
    expect(await vaults.getByName('other')).toBeUndefined();
  });

  test('an environment has one repository in a vault, with one password and one first moment', async () => {
    const { catalog, clock, ids, dispose } = await setUp();
    await using _ = dispose;
    const [shop] = await createFixtures(catalog, clock).environments('shop');
    if (shop === undefined) throw new Error('No environment.');
    const vault = await createVaultStore(catalog, clock).ensure({
      id: ids.vault(),
      name: 'default',
      location: '/a',
    });
    const store = createRepositoryStore(catalog, clock);
    const fresh = () => ({
      id: ids.repository(),
      vaultId: vault.id,
      environmentId: shop.id,
      folder: 'shop',
      sealedPassword: `sealed ${ids.task()}`,
    });
    const first = await catalog.write(async (tx) => await store.ensure(fresh(), tx));
    expect(await catalog.write(async (tx) => await store.ensure(fresh(), tx))).toEqual(first);
    expect(first.initializedAtMs).toBeNull();
    expect(await store.listInitializedFolders(vault.id)).toEqual([]);
    expect(await store.listInitialized()).toEqual([]);
    await store.markInitialized(first.id);
    const initializedAtMs = clock.now();
    clock.advance(10);
    await store.markInitialized(first.id);
    expect(await store.get(first.id)).toEqual({ ...first, initializedAtMs });
    expect(await store.listInitializedFolders(vault.id)).toEqual(['shop']);
    const named = [{ ...first, initializedAtMs, environmentName: 'shop' }];
    expect(await store.listInitialized()).toEqual(named);
    expect(await store.listInitialized(shop.id)).toEqual(named);
    expect(await store.listInitialized(ids.environment())).toEqual([]);
  });

  test('a token is found by its hash; one of the same name takes its place', async () => {
    const { catalog, clock, ids, dispose } = await setUp();
    await using _ = dispose;
    const tokens = createTokenStore({ catalog, clock, ids });
    const first = await tokens.put({ name: 'local', hash: 'one', rights });
    expect(await tokens.findByHash('one')).toEqual({ id: first.id, name: 'local', rights });
    await tokens.put({ name: 'local', hash: 'two', rights: ['job:read'] });
    expect(await tokens.findByHash('one')).toBeUndefined();
    expect(await tokens.findByHash('two')).toEqual({ id: first.id, name: 'local', rights: ['job:read'] });
  });
}
