import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDockerServer } from '../../testing/docker-server.ts';
import {
  barSwap,
  expectAsBefore,
  readyBackup,
  restore,
  setUp,
  unfinishedRestore,
} from '../../testing/restoring.ts';
import { bindMount, openTestProject, volumeMount } from '../../testing/test-project.ts';

test('only what is named is restored, and all else in the mounts is left as it is', async () => {
  await using project = await openTestProject();
  await using server = await openDockerServer();
  const data = await project.volume('data');
  const path = await project.pathOf(data);
  const conf = join(project.folder, 'conf');
  mkdirSync(conf);
  await project.service('web', {
    mounts: [volumeMount(data, '/data'), bindMount(conf, '/conf')],
  });
  mkdirSync(join(path, 'deep/er'), { recursive: true });
  const files = [join(path, 'top'), join(path, 'deep/er/file'), join(path, 'deep/other'), join(conf, 'a')];
  for (const each of files) writeFileSync(each, 'old');
  const backup = await readyBackup(server, project);
  for (const each of files) writeFileSync(each, 'new');
  rmSync(join(path, 'deep'), { recursive: true });
  writeFileSync(join(path, 'extra'), 'extra');

  const body = { paths: [{ part: data, path: 'deep/er' }] };
  const { job: preview } = await server.client.call('backup.restore', {
    params: { backup },
    body: { ...body, dryRun: true },
  });
  expect(await server.ended(preview)).toMatchObject({ state: 'done' });
  expect(existsSync(join(path, 'deep'))).toBe(false);
  const { job } = await server.client.call('backup.restore', { params: { backup }, body });
  expect(await server.ended(job)).toMatchObject({ state: 'done', error: null, warnings: [] });
  expect(readFileSync(join(path, 'deep/er/file'), 'utf8')).toBe('old');
  expect(readdirSync(path).sort()).toEqual(['deep', 'extra', 'top']);
  expect(readdirSync(join(path, 'deep'))).toEqual(['er']);
  expect([join(path, 'top'), join(conf, 'a')].map((each) => readFileSync(each, 'utf8'))).toEqual([
    'new',
    'new',
  ]);

  const query = { environment: project.name, kind: 'safety' as const };
  const [kept] = (await server.client.call('backup.list', { query })).backups;
  expect(await restore(server, kept?.id ?? '')).toMatchObject({ state: 'done', warnings: [] });
  expect(readdirSync(path).sort()).toEqual(['extra', 'top']);

  const paths = [{ part: data, path: 'none' }];
  const { job: wrong } = await server.client.call('backup.restore', { params: { backup }, body: { paths } });
  expect(await server.ended(wrong)).toMatchObject({ state: 'failed', error: { code: 'path-unknown' } });
  expect(readdirSync(path).sort()).toEqual(['extra', 'top']);
});

test('a restore of a path that is cut off is completed by another one of it', async () => {
  const { project, server, data, path, web, idle, backup, contents, dispose } = await setUp(10);
  await using _ = dispose;
  const params = { backup };
  const body = { paths: [{ part: data, path: 'file-0' }] };
  const { job } = await server.client.call('backup.restore', { params, body });
  const clear = await barSwap(path);
  expect(await server.ended(job)).toMatchObject({ state: 'failed' });
  clear();
  expect(await unfinishedRestore(server, project)).not.toBeNull();
  const other = { paths: [{ part: data, path: 'file-1' }] };
  await expect(server.client.call('backup.restore', { params, body: other })).rejects.toMatchObject({
    report: { code: 'environment-unfinished-restore' },
  });
  const { job: again } = await server.client.call('backup.restore', { params, body });
  expect(await server.ended(again)).toMatchObject({ state: 'done' });
  expect(contents()).toBe('old');
  expect(readFileSync(join(path, 'file-1'), 'utf8').slice(0, 3)).toBe('new');
  expect(readdirSync(path)).toContain('extra');
  await expectAsBefore(project, web, idle);
});
