import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Mount } from '../discovery/environment.ts';
import type { ProtectedPath } from './never-paths.ts';
import { findProjectFolder } from './project-folder.ts';
import { resolveHere } from './resolve-path.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'hftest-folder-')));
  folder = join(root, 'app');
  await mkdir(join(folder, 'data/in[1]'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

function bind(path: string, included = true): Mount & { readonly included: boolean } {
  return { id: `bind:${path}`, source: { kind: 'bind', path }, points: [], otherUsers: [], included };
}

interface Given {
  readonly folder?: string | null;
  readonly configFiles?: readonly string[];
  readonly mounts?: readonly (Mount & { readonly included: boolean })[];
  readonly protectedPaths?: readonly ProtectedPath[];
}

async function find({ configFiles = [], mounts = [], protectedPaths = [], ...given }: Given = {}) {
  const environment = { folder: given.folder === undefined ? folder : given.folder, configFiles };
  return await findProjectFolder(environment, mounts, { protectedPaths, resolvePaths: resolveHere });
}

test('all of it, but what is mounted from there: included or not, by the path that it leads to', async () => {
  await symlink(join(folder, 'data'), join(root, 'link'));
  const volume: Mount = {
    ...bind(''),
    source: {
      kind: 'volume',
      name: 'v',
      driver: 'local',
      mountpoint: '/var/lib/docker/volumes/v/_data',
      labels: {},
      options: { type: 'none', o: 'bind', device: join(folder, 'bound') },
    },
  };
  const mounts = [
    bind(join(root, 'link/in[1]')),
    bind(join(folder, 'conf/app.conf'), false),
    bind('/etc/localtime', false),
    bind(root, false),
    { ...volume, included: true },
  ];
  expect(await find({ mounts })).toEqual({
    isReadable: true,
    realPath: folder,
    files: ['.env'],
    whole: { isTaken: true, leftOut: ['bound', 'conf/app.conf', 'data/in[1]'] },
  });
});

test('the Compose files right in it, by its own path and by where that leads', async () => {
  const named = join(root, 'named');
  await symlink(folder, named);
  const configFiles = [
    join(named, 'compose.yaml'),
    join(folder, 'more.yaml'),
    join(named, 'deep/x.yaml'),
    '/etc/x.yaml',
  ];
  const found = await find({ folder: named, configFiles });
  expect(found).toMatchObject({ realPath: folder, files: ['compose.yaml', 'more.yaml', '.env'] });
});

test('not where a mount is of all of it', async () => {
  for (const mount of [bind(folder), bind(root), bind(folder, false)]) {
    expect(await find({ mounts: [mount] })).toMatchObject({ isReadable: true, whole: { isTaken: false } });
  }
});

test('never what is of the machine, of Docker or of Holdfast, whatever leads there', async () => {
  await symlink('/etc', join(root, 'etc'));
  await writeFile(join(root, 'file'), '');
  const protectedPaths = [{ path: join(folder, 'vault'), what: 'a vault' }];
  const reasons = await Promise.all(
    [
      '/',
      '/home',
      '/usr',
      '/proc/self',
      '/run/x',
      join(root, 'etc'),
      join(root, 'none'),
      join(root, 'file'),
      null,
    ].map(async (path) => await find({ folder: path })),
  );
  expect(reasons.filter(({ isReadable }) => isReadable)).toEqual([]);
  expect(await find({ protectedPaths })).toEqual({ isReadable: false, reason: 'it contains a vault' });
  expect(await find({ folder: join(folder, 'vault/x'), protectedPaths })).toMatchObject({
    isReadable: false,
  });
});
