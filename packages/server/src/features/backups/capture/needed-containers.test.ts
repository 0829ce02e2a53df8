import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { assertNoneNeeded, catalogEndpoint, type Reachable } from './needed-containers.ts';

function container(name: string, changes: Partial<Reachable> = {}): Reachable {
  return { id: `id of ${name}`, name, addresses: [], publishedPorts: [], ...changes };
}

const refused = (name: string) =>
  expect.objectContaining({ code: 'freeze-refused', context: { container: name } });

test('the catalog is where its URL says; a file has no server', () => {
  expect(catalogEndpoint(null)).toEqual([]);
  expect(catalogEndpoint('postgres://me:secret@[::1]/holdfast')).toMatchObject([{ host: '::1', port: 5432 }]);
  expect(catalogEndpoint('postgres://db:5433/holdfast')).toMatchObject([{ host: 'db', port: 5433 }]);
});

test('Holdfast’s own container is never paused', async () => {
  const options = { ownId: 'id of holdfast', endpoints: [] };
  await assertNoneNeeded([container('web')], options);
  await expect(assertNoneNeeded([container('web'), container('holdfast')], options)).rejects.toEqual(
    refused('holdfast'),
  );
});

test('nor is a container that serves its catalog, by its address or by a port of this machine', async () => {
  const options = (url: string) => ({ ownId: undefined, endpoints: catalogEndpoint(url) });
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
