import { expect, it } from 'vitest';
import type { Route } from './route.ts';
import { type RouteName, routes } from './routes.ts';

const entries = Object.entries(routes) as [RouteName, Route][];

it('every route names a right, but for the health check and links, which prove themselves', () => {
  expect(entries.filter(([, route]) => route.right === null).map(([name]) => name)).toEqual([
    'server.health',
    'backup.linked',
  ]);
});

it('no two routes share method and path, and every parameter has a schema', () => {
  expect(new Set(entries.map(([, route]) => `${route.method} ${route.path}`)).size).toBe(entries.length);
  for (const [, route] of entries) {
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    expect(Object.keys(route.params?.shape ?? {})).toEqual(named);
  }
});

it('long work answers 202', () => {
  const started = entries.filter(([, route]) => route.status === 202).map(([name]) => name);
  expect(started.sort()).toEqual([
    'backup.create',
    'backup.delete',
    'backup.deleteSeveral',
    'backup.pin',
    'backup.restore',
    'backup.unpin',
    'import.create',
    'job.cancel',
    'vault.adopt',
    'vault.check',
  ]);
});
