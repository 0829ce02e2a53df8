import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveBeneath } from './resolve-beneath.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'resolve-beneath-'));
  await mkdir(join(root, 'srv/app/data'), { recursive: true });
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'srv/app/file'), '');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function linked(name: string, target: string): Promise<void> {
  await symlink(target, join(root, 'srv/app', name));
}

test('tells what is there', async () => {
  expect(await resolveBeneath(root, '/srv/app/data')).toEqual({
    resolved: true,
    path: '/srv/app/data',
    type: 'folder',
  });
  expect(await resolveBeneath(root, '/srv/app/./file')).toMatchObject({
    path: '/srv/app/file',
    type: 'file',
  });
  expect(await resolveBeneath(root, '/srv/app/no/such')).toMatchObject({
    path: '/srv/app/no/such',
    type: 'nothing',
  });
  expect(await resolveBeneath(root, '/')).toMatchObject({ path: '/', type: 'folder' });
});

test('absolute links begin at the root that was given, and none leads out of it', async () => {
  await linked('away', '/etc');
  await linked('up', '../../../../../../../../etc');
  await linked('twice', 'away');
  for (const name of ['away', 'up', 'twice']) {
    expect(await resolveBeneath(root, `/srv/app/${name}/passwd`)).toEqual({
      resolved: true,
      path: '/etc/passwd',
      type: 'nothing',
    });
  }
});

test('a link to nothing is not taken for nothing', async () => {
  await linked('broken', '/later');
  await linked('loop', 'loop');
  expect(await resolveBeneath(root, '/srv/app/broken')).toEqual({ resolved: false, reason: 'a broken link' });
  expect(await resolveBeneath(root, '/srv/app/broken/x')).toMatchObject({ resolved: false });
  expect(await resolveBeneath(root, '/srv/app/loop')).toEqual({ resolved: false, reason: 'ELOOP' });
});
