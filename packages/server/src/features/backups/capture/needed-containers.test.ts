import { networkInterfaces } from 'node:os';
import type { Container } from '@holdfast/docker';
import { expect, test } from 'vitest';
import { assertNoneNeeded, catalogEndpoint, type Reachable } from './needed-containers.ts';

function container(name: string, changes: Partial<Reachable> = {}): Reachable {
  return { name, addresses: [], publishedPorts: [], ...changes };
}

const shop = { name: 'shop', sources: { volumes: new Set<string>(), paths: [] as string[] } };

function ownContainer(labels: Record<string, string>, volume: string): Container {
  const mount = {
    type: 'volume',
    volumeName: volume,
    source: `/v/${volume}`,
    destination: '/d',
    readOnly: false,
  };
  const state = { status: 'running', startedAt: '', health: 'none' };
  return { id: 'own', name: 'server', labels, mounts: [mount], state } as unknown as Container;
}

const refused = (name: string) =>
  expect.objectContaining({ code: 'freeze-refused', context: { container: name } });

test('the catalog is where its URL says; a file has no server', () => {
  expect(catalogEndpoint(null)).toEqual([]);
  expect(catalogEndpoint('postgres://me:secret@[::1]/holdfast')).toMatchObject([{ host: '::1', port: 5432 }]);
  expect(catalogEndpoint('postgres://db:5433/holdfast')).toMatchObject([{ host: 'db', port: 5433 }]);
});

test('Holdfast’s own container is never paused: neither in the environment nor as a writer to its volumes', async () => {
  const own = ownContainer({ 'com.docker.compose.project': 'holdfast' }, 'backups');
  const options = (environment: typeof shop) => ({ environment, own, endpoints: [] });
  await assertNoneNeeded([container('web')], options(shop));
  await expect(assertNoneNeeded([], options({ ...shop, name: 'holdfast' }))).rejects.toEqual(
    refused('server'),
  );
  const sources = { volumes: new Set(['backups']), paths: [] };
  await expect(assertNoneNeeded([], options({ ...shop, sources }))).rejects.toEqual(refused('server'));
});

test('nor is a container that serves its catalog, by its address or by a port of this machine', async () => {
  const options = (url: string) => ({
    environment: shop,
    own: undefined,
    endpoints: catalogEndpoint(url),
  });
  const db = container('db', { addresses: ['172.30.0.7'], publishedPorts: [5433] });
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])[0]?.address ?? '127.0.0.1';
  for (const url of ['postgres://172.30.0.7/x', 'postgres://localhost:5433/x', `postgres://${own}:5433/x`]) {
    await expect(assertNoneNeeded([container('web'), db], options(url))).rejects.toEqual(refused('db'));
  }
  for (const url of [
    'postgres://172.30.0.8/x',
    'postgres://127.0.0.1:5434/x',
    'postgres://nowhere.invalid/x',
  ]) {
    await assertNoneNeeded([container('web'), db], options(url));
  }
});
