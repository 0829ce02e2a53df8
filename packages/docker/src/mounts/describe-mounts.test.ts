import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { discoverEnvironments } from '../discovery/discover-environments.ts';
import type { Environment, Mount } from '../discovery/environment.ts';
import { recordedNotes } from '../testing/recorded-notes.ts';
import { describeMounts } from './describe-mounts.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'hftest-mounts-')));
  folder = join(root, 'app');
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** An environment in `folder` that binds these paths. */
function binding(...paths: string[]): Environment {
  const mounts = paths.map(
    (path, index): Mount => ({
      id: `bind:${path}`,
      source: { kind: 'bind', path },
      points: [{ component: 'web', path: `/${index}`, readOnly: false }],
      otherUsers: [],
    }),
  );
  const [environment] = discoverEnvironments({ containers: [], volumes: recordedNotes().volumes });
  if (environment === undefined) throw new Error('nothing recorded');
  const components = [{ name: 'web', isLeftOut: false, include: [], exclude: [], instances: [] }];
  return { ...environment, folder, folders: [folder], components, mounts };
}

async function decisions(environment: Environment, protectedPaths: { path: string; what: string }[] = []) {
  const { mounts } = await describeMounts(environment, { protectedPaths });
  return mounts.map(({ included }) => included);
}

test('describes all of a recorded project', async () => {
  const [environment] = discoverEnvironments(recordedNotes());
  if (environment === undefined) throw new Error('nothing recorded');
  const protectedPaths = [{ path: '/var/lib/docker', what: "Docker's own data" }];
  const { mounts, warnings } = await describeMounts(environment, { protectedPaths });
  expect(mounts.map(({ id, included, reason }) => [id.slice(0, 30), included, reason])).toEqual([
    ['bind:/etc/localtime', false, 'never: it belongs to the machine, not to the app'],
    ['bind:/srv/notes/conf/app.conf', true, "bind mount inside the project's folder /srv/notes"],
    ['bind:/srv/notes/site', true, "bind mount inside the project's folder /srv/notes"],
    ['bind:/var/run/docker.sock', false, expect.stringContaining('never: it leads to /run/docker.sock')],
    ['tmpfs:web:/srv/tmp', false, 'in memory: it is empty after every start'],
    [expect.stringMatching(/^volume:/), true, 'anonymous volume'],
    ['volume:notes_linked', false, 'left out by holdfast.exclude on worker'],
    ['volume:notes_reports', true, 'named volume'],
    ['volume:notes_uploads', true, 'named volume'],
  ]);
  expect(warnings).toEqual([]);
});

test('follows links, of the mount and of protected paths', async () => {
  const vault = join(root, 'vault');
  await mkdir(join(vault, 'data'), { recursive: true });
  await symlink(vault, join(root, 'vault-link'));
  await symlink(vault, join(folder, 'sneaky'));
  await symlink('/proc', join(folder, 'proc'));
  await symlink('loop', join(folder, 'loop'));
  await symlink(join(root, 'nothing'), join(folder, 'broken'));
  await mkdir(join(folder, 'plain'));
  await symlink('plain', join(folder, 'inner'));
  const names = ['sneaky', 'sneaky/data', 'proc', 'proc/1', 'loop', 'broken', 'broken/x', 'inner', 'new/x'];
  const environment = binding(...names.map((name) => join(folder, name)));
  const protectedPaths = [{ path: join(root, 'vault-link'), what: 'the vault main' }];
  expect(await decisions(environment, protectedPaths)).toEqual([
    ...[false, false, false, false, false, false, false],
    ...[true, true],
  ]);
});

test('keeps sockets out, in a folder or alone', async () => {
  const path = join(folder, 'app.sock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  await writeFile(join(folder, 'file'), '');
  expect(await decisions(binding(path, join(folder, 'file')))).toEqual([false, true]);
  server.close();
});

test('takes files once where bind mounts overlap', async () => {
  await mkdir(join(folder, 'data/inner/deep'), { recursive: true });
  await mkdir(join(folder, 'data-2'));
  await symlink('data', join(folder, 'again'));
  const names = ['data/inner/deep', 'data/inner', 'data', 'data-2', 'again'];
  const { mounts } = await describeMounts(binding(...names.map((name) => join(folder, name))), {
    protectedPaths: [],
  });
  const real = join(folder, 'data');
  expect(mounts.map(({ included, coveredBy, realPath }) => [included, coveredBy, realPath])).toEqual([
    [false, `bind:${folder}/again`, join(real, 'inner/deep')],
    [false, `bind:${folder}/again`, join(real, 'inner')],
    [false, `bind:${folder}/again`, real],
    [true, null, join(folder, 'data-2')],
    [true, null, real],
  ]);
  expect(mounts[0]?.reason).toBe(`it lies inside ${real}, which is backed up whole`);
});

test('what lies inside a folder that is backed up whole is no gap', async () => {
  const outside = join(root, 'outside');
  await mkdir(join(outside, 'inner'), { recursive: true });
  const environment = binding(outside, join(outside, 'inner'));
  const gaps = async (include: string[]) => {
    const components = environment.components.map((component) => ({ ...component, include }));
    const { mounts } = await describeMounts({ ...environment, components }, { protectedPaths: [] });
    return mounts.map(({ isGap }) => isGap === true);
  };
  expect(await gaps([])).toEqual([true, true]);
  expect(await gaps(['/0'])).toEqual([false, false]);
});

test('tells of selectors that name nothing', async () => {
  const environment = binding(join(folder, 'x'));
  const components = environment.components.map((component) => ({
    ...component,
    include: ['/0', './x'],
    exclude: ['cache', '/0/tmp'],
  }));
  const { warnings } = await describeMounts({ ...environment, components }, { protectedPaths: [] });
  expect(warnings).toEqual([
    'holdfast.exclude on component web names cache, which is no mount of it.',
    'holdfast.exclude on component web names /0/tmp, which is no mount of it.',
  ]);
});
