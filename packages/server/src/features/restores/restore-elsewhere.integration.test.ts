import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Job } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../testing/docker-server.ts';
import { barSwap, readyBackup, restore, stateOf, unfinishedRestore } from '../../testing/restoring.ts';
import { openTestProject, type TestProject, volumeMount } from '../../testing/test-project.ts';

/** An app with a volume, and one that has what the other does not. */
async function openApp(content: string, files = 1) {
  const project = await openTestProject();
  const data = await project.volume('data');
  const path = await project.pathOf(data);
  const mounts = [volumeMount(data, '/data')];
  const web = await project.service('web', { mounts, restart: 'always' });
  for (let file = 0; file < files; file += 1) writeFileSync(join(path, `file-${file}`), content);
  return { project, data, path, web, contents: () => readFileSync(join(path, 'file-0'), 'utf8') };
}

async function setUp(files = 1) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await openDockerServer());
  const shop = await openApp('shop', files);
  stack.use(shop.project);
  const staging = await openApp('staging', files);
  stack.use(staging.project);
  writeFileSync(join(staging.path, 'extra'), 'extra');
  const backup = await readyBackup(server, shop.project);
  await server.client.call('environment.list', {});
  return { server, shop, staging, backup, dispose: stack };
}

async function start(
  server: DockerServer,
  backup: string,
  target: TestProject,
  more: { readonly dryRun?: boolean; readonly components?: string[]; readonly code?: boolean } = {},
): Promise<Job> {
  const body = { target: target.name, ...more };
  return (await server.client.call('backup.restore', { params: { backup }, body })).job;
}

async function keptOf(server: DockerServer, project: TestProject) {
  const query = { environment: project.name, kind: 'safety' as const };
  return (await server.client.call('backup.list', { query })).backups;
}

describe('a restore into another environment', () => {
  test('changes its mounts alone, keeps what was in them as its own, and is undone', async () => {
    const { server, shop, staging, backup, dispose } = await setUp();
    await using _ = dispose;
    writeFileSync(join(shop.path, 'file-0'), 'shop goes on');
    const { startedAt } = (await shop.project.docker.containers.inspect(shop.web)).state;
    const job = await server.ended(await start(server, backup, staging.project));
    expect(job).toMatchObject({ state: 'done', error: null, warnings: [] });
    expect(job.environmentName).toBe(staging.project.name);
    expect([staging.contents(), existsSync(join(staging.path, 'extra'))]).toEqual(['shop', false]);
    expect(shop.contents()).toBe('shop goes on');
    expect((await shop.project.docker.containers.inspect(shop.web)).state.startedAt).toBe(startedAt);
    expect(await stateOf(staging.project, staging.web)).toEqual({ isRunning: true, policy: 'always' });

    expect(await keptOf(server, shop.project)).toEqual([]);
    const [kept] = await keptOf(server, staging.project);
    expect(kept).toMatchObject({ jobId: job.id, status: 'ready', environmentName: staging.project.name });
    const [source, own] = await Promise.all(
      [backup, kept?.id ?? ''].map(async (id) => {
        return await server.client.call('backup.get', { params: { backup: id } });
      }),
    );
    expect(own?.repository).not.toBe(source?.repository);
    expect(await restore(server, kept?.id ?? '')).toMatchObject({ state: 'done', warnings: [] });
    expect([staging.contents(), existsSync(join(staging.path, 'extra'))]).toEqual(['staging', true]);
    const query = { of: 'restore' as const };
    const { log } = await server.client.call('backup.log', { params: { backup }, query });
    expect(log.map(({ message }) => message)).toContain(`${shop.data} goes to ${staging.data}`);
  });

  test('that is only to be previewed changes nothing', async () => {
    const { server, shop, staging, backup, dispose } = await setUp();
    await using _ = dispose;
    const job = await server.ended(await start(server, backup, staging.project, { dryRun: true }));
    expect(job).toMatchObject({ kind: 'preview', state: 'done', environmentName: staging.project.name });
    const notes: string[] = [];
    for await (const event of server.client.stream('job.events', { params: { job: job.id } })) {
      if (event.type === 'log') notes.push(event.line.message);
    }
    expect(notes).toContain(`${shop.data} goes to ${staging.data}`);
    expect(notes.join('\n')).toMatch(/: 1 files would be restored.*; 1 would be removed/);
    expect(staging.contents()).toBe('staging');
  });

  test('that was taken down makes its volume again, as that was', async () => {
    const { server, staging, backup, dispose } = await setUp();
    await using _ = dispose;
    const { docker } = staging.project;
    const before = await docker.volumes.inspect(staging.data);
    await staging.project.down({ volumes: true });
    const job = await server.ended(await start(server, backup, staging.project, { code: false }));
    expect(job).toMatchObject({ state: 'done', warnings: [] });
    const after = await docker.volumes.inspect(staging.data);
    expect({ ...after, mountpoint: '' }).toEqual({ ...before, mountpoint: '' });
    expect(readFileSync(join(after.mountpoint, 'file-0'), 'utf8')).toBe('shop');
    expect(await keptOf(server, staging.project)).toEqual([]);
    await docker.volumes.remove(staging.data);
  });

  test('gives what a command printed to the restore command that the target has', async () => {
    await using server = await openDockerServer();
    const open = async (content: string) => {
      const project = await openTestProject();
      const data = await project.volume('data');
      const state = join(await project.pathOf(data), 'state');
      writeFileSync(state, content);
      await project.service('db', {
        mounts: [volumeMount(data, '/data')],
        labels: {
          'holdfast.backup.command': 'cat /data/state',
          'holdfast.restore.command': `(echo ${project.name}; cat) >/data/state.new && mv /data/state.new /data/state`,
        },
      });
      return { project, state };
    };
    const shop = await open('shop');
    await using _shop = shop.project;
    const staging = await open('staging');
    await using _staging = staging.project;
    const backup = await readyBackup(server, shop.project);
    await server.client.call('environment.list', {});
    expect(await server.ended(await start(server, backup, staging.project))).toMatchObject({ state: 'done' });
    expect(readFileSync(staging.state, 'utf8')).toBe(`${staging.project.name}\nshop`);
    expect(readFileSync(shop.state, 'utf8')).toBe('shop');
    expect(await keptOf(server, staging.project)).toMatchObject([{ mode: 'live', components: ['db'] }]);
  });

  test('that is cut off is the unfinished restore of the target, which a restore completes', async () => {
    const { server, shop, staging, backup, dispose } = await setUp(2000);
    await using _ = dispose;
    const job = await start(server, backup, staging.project);
    const clear = await barSwap(staging.path);
    const failed = await server.ended(job);
    clear();
    expect(failed.state).toBe('failed');
    expect(failed.error?.hint).toContain(`backup:restore ${backup} --target ${staging.project.name}`);
    expect(await unfinishedRestore(server, staging.project)).toMatchObject({ backupId: backup });
    expect(await unfinishedRestore(server, shop.project)).toBeNull();
    expect(await stateOf(staging.project, staging.web)).toEqual({ isRunning: false, policy: 'no' });
    expect((await stateOf(shop.project, shop.web)).isRunning).toBe(true);
    expect(await server.ended(await start(server, backup, staging.project))).toMatchObject({ state: 'done' });
    expect(staging.contents()).toBe('shop');
    expect(await stateOf(staging.project, staging.web)).toEqual({ isRunning: true, policy: 'always' });
  });

  test('whose server dies leaves the target wholly old or wholly new to the next one', async () => {
    const { server, staging, backup, dispose } = await setUp(2000);
    await using _ = dispose;
    const job = await start(server, backup, staging.project);
    // What comes after it may be over between two looks.
    await server.reaches(job, 'Fetching and checking the whole backup');
    await server.kill();
    await server.start();
    const ended = await server.ended(job);
    // Wholly new where the mover had been told to commit, wholly old where it had not.
    expect(staging.contents()).toBe(ended.state === 'failed' ? 'staging' : 'shop');
    expect(await stateOf(staging.project, staging.web)).toEqual({ isRunning: true, policy: 'always' });
    expect(await unfinishedRestore(server, staging.project)).toBeNull();
  });

  test('does not write to what both use', async () => {
    const { server, shop, staging, backup, dispose } = await setUp();
    await using _ = dispose;
    await staging.project.down();
    await staging.project.service('web', { mounts: [volumeMount(shop.data, '/data')] });
    await server.client.call('environment.list', {});
    const job = await server.ended(await start(server, backup, staging.project));
    // The volume of its own is still the project's, though nothing mounts it: its key in the Compose file tells.
    expect(job).toMatchObject({ state: 'failed', error: { code: 'environment-empty' } });
    expect(job.error?.hint).toContain('containers of others use');
  });
});
