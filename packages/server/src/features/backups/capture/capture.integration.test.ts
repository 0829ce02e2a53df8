import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '@holdfast/base';
import type { Backup, BackupId } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../../testing/docker-server.ts';
import { bindMount, openTestProject, type TestProject, volumeMount } from '../../../testing/test-project.ts';

type CreateBody = Parameters<typeof create>[2];

async function create(
  { client }: DockerServer,
  project: TestProject,
  body: { readonly components?: string[]; readonly allowEmpty?: boolean } = {},
) {
  return await client.call('backup.create', { params: { environment: project.name }, body });
}

async function complete(server: DockerServer, project: TestProject, body?: CreateBody) {
  const { job, backupId } = await create(server, project, body);
  return { job: await server.ended(job), backup: await get(server, backupId) };
}

async function get({ client }: DockerServer, backupId: BackupId): Promise<Backup> {
  return await client.call('backup.get', { params: { backup: backupId } });
}

async function logOf({ client }: DockerServer, backup: Backup): Promise<string> {
  const { log } = await client.call('backup.log', { params: { backup: backup.id } });
  return log.map(({ message }) => message).join('\n');
}

/** Files enough that reading them takes a while. */
async function fill(project: TestProject, volume: string, megabytes: number): Promise<void> {
  const path = await project.pathOf(volume);
  const chunk = new Uint8Array(1024 * 1024);
  for (let file = 0; file < megabytes; file += 1) {
    crypto.getRandomValues(chunk.subarray(0, 65_536));
    for (let at = 65_536; at < chunk.length; at += 65_536) {
      crypto.getRandomValues(chunk.subarray(at, at + 65_536));
    }
    writeFileSync(join(path, `file-${file}`), chunk);
  }
}

async function isFrozen(project: TestProject, id: string): Promise<boolean> {
  return (await project.docker.containers.inspect(id)).state.paused;
}

async function untilFrozen(project: TestProject, id: string): Promise<void> {
  while (!(await isFrozen(project, id))) await sleep(5);
}

async function untilThawed(project: TestProject, id: string): Promise<void> {
  for (let waited = 0; await isFrozen(project, id); waited += 20) {
    if (waited > 15_000) throw new Error('It is still paused.');
    await sleep(20);
  }
}

describe('a backup of an environment', () => {
  test('has each included mount once, and the app was paused while it was read, and goes on', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const data = await project.volume('data');
    mkdirSync(join(project.folder, 'conf'));
    writeFileSync(join(project.folder, 'conf', 'a.conf'), 'a');
    symlinkSync('conf/a.conf', join(project.folder, 'link.conf'));
    const counting = 'while true; do echo $((n=n+1)) >> /data/log; sleep 0.01; done';
    const web = await project.service('web', {
      script: counting,
      mounts: [
        volumeMount(data, '/data'),
        bindMount(join(project.folder, 'conf'), '/conf'),
        bindMount(join(project.folder, 'link.conf'), '/link.conf'),
        bindMount('/etc/localtime', '/etc/localtime'),
      ],
    });
    const stopped = await project.service('stopped', {
      mounts: [volumeMount(data, '/data')],
      isStarted: false,
    });
    const { startedAt } = (await project.docker.containers.inspect(web)).state;
    const { job, backup } = await complete(server, project);
    expect(job).toMatchObject({ state: 'done', error: null, warnings: [] });
    expect(backup).toMatchObject({ status: 'ready', components: ['stopped', 'web'] });
    expect(backup.parts.map(({ name }) => name).sort()).toEqual(['./conf', data].sort());
    expect(backup.parts.find(({ name }) => name === data)?.mountPoints).toHaveLength(2);
    expect((await project.docker.containers.inspect(web)).state).toMatchObject({ paused: false, startedAt });
    expect((await project.docker.containers.inspect(stopped)).state.status).toBe('created');
    expect(await logOf(server, backup)).toMatch(
      /Paused hfserver-[0-9a-f]+-web-1\n[\s\S]*The containers go on/,
    );
    expect(readdirSync(join(server.dataDirectory, 'tasks'))).toEqual([]);
  });

  test('with a component named has its mounts only', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const [a, b] = [await project.volume('a'), await project.volume('b')];
    await project.service('web', { mounts: [volumeMount(a, '/a')] });
    await project.service('db', { mounts: [volumeMount(b, '/b')] });
    const { backup } = await complete(server, project, { components: ['db'] });
    expect(backup.parts.map(({ name }) => name)).toEqual([b]);
  });

  test('that does not run needs no freeze', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const data = await project.volume('data');
    await project.service('web', { mounts: [volumeMount(data, '/data')], isStarted: false });
    const { backup } = await complete(server, project);
    expect(backup.status).toBe('ready');
    expect(await logOf(server, backup)).not.toContain('Paused');
  });

  test('whose volume was emptied fails, unless that is said to be right', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const data = await project.volume('data');
    const web = await project.service('web', {
      mounts: [volumeMount(data, '/data')],
    });
    writeFileSync(join(await project.pathOf(data), 'file'), 'x');
    expect((await complete(server, project)).backup.status).toBe('ready');
    rmSync(join(await project.pathOf(data), 'file'));
    const { job, backup } = await complete(server, project);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'source-empty' } });
    expect(backup).toMatchObject({ status: 'failed', error: { code: 'source-empty' }, parts: [] });
    expect(await isFrozen(project, web)).toBe(false);
    expect((await complete(server, project, { allowEmpty: true })).backup.status).toBe('ready');
  });

  test('with a volume that has options is refused, naming the mount and how to leave it out', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const target = join(project.folder, 'target');
    mkdirSync(target);
    const odd = await project.volume('odd', { type: 'none', o: 'bind', device: target });
    await project.service('web', { mounts: [volumeMount(odd, '/odd')] });
    const { job, backup } = await complete(server, project);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'mount-needs-container' } });
    expect(job.error?.message).toContain(odd);
    expect(job.error?.hint).toContain('holdfast.exclude');
    expect(backup.status).toBe('failed');
  });
});

describe('a backup that is cut short', () => {
  async function underWay(flags: readonly string[] = [], megabytes = 120) {
    const stack = new AsyncDisposableStack();
    const project = stack.use(await openTestProject());
    const server = stack.use(await openDockerServer(flags));
    const data = await project.volume('data');
    await fill(project, data, megabytes);
    const web = await project.service('web', { mounts: [volumeMount(data, '/data')] });
    const { job, backupId } = await create(server, project);
    await untilFrozen(project, web);
    return { project, server, web, job, backupId, dispose: stack };
  }

  async function expectNextIsReady(server: DockerServer, project: TestProject): Promise<void> {
    expect((await complete(server, project)).backup.status).toBe('ready');
  }

  test('by cancelling is cancelled, and the app goes on', async () => {
    const { project, server, web, job, backupId, dispose } = await underWay();
    await using _ = dispose;
    await server.client.call('job.cancel', { params: { job: job.id } });
    expect(await server.ended(job)).toMatchObject({ state: 'cancelled' });
    expect(await isFrozen(project, web)).toBe(false);
    expect(await get(server, backupId)).toMatchObject({ status: 'cancelled' });
    await expectNextIsReady(server, project);
  });

  test('by the death of its mover fails with the reason, and the app goes on', async () => {
    const { project, server, web, job, backupId, dispose } = await underWay();
    await using _ = dispose;
    server.killMovers();
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'mover-lost' } });
    expect(await isFrozen(project, web)).toBe(false);
    expect(await get(server, backupId)).toMatchObject({ status: 'failed' });
    await expectNextIsReady(server, project);
  });

  test('by stopping the server fails with the reason, and the app goes on', async () => {
    const { project, server, web, job, backupId, dispose } = await underWay();
    await using _ = dispose;
    expect(await server.stop()).toBe(0);
    expect(await isFrozen(project, web)).toBe(false);
    await server.start();
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'server-lost' } });
    expect(await get(server, backupId)).toMatchObject({ status: 'failed' });
    await expectNextIsReady(server, project);
  });

  test('by the death of the server is thawed by the guard, and failed by the next server', async () => {
    const { project, server, web, job, backupId, dispose } = await underWay();
    await using _ = dispose;
    await server.kill();
    await untilThawed(project, web);
    await server.start();
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'server-lost' } });
    expect(await get(server, backupId)).toMatchObject({ status: 'failed' });
    await expectNextIsReady(server, project);
  });

  test('by the hold limit is thawed and fails with the limit', async () => {
    const { project, server, web, job, dispose } = await underWay(['--hold-limit', '1s'], 400);
    await using _ = dispose;
    expect(await server.ended(job)).toMatchObject({
      state: 'failed',
      error: { code: 'freeze-limit-reached' },
    });
    expect(await isFrozen(project, web)).toBe(false);
  });

  test('by somebody who unpauses a container fails: it is not of one moment', async () => {
    const { project, server, web, job, dispose } = await underWay();
    await using _ = dispose;
    await project.docker.containers.unpause(web);
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'freeze-broken' } });
  });

  test('by somebody who starts another container fails: it is not of one moment', async () => {
    const { project, server, job, dispose } = await underWay();
    await using _ = dispose;
    await project.service('late', {});
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'freeze-broken' } });
  });
});

test('a deleted backup is gone, with its snapshots; another one restores still', async () => {
  await using project = await openTestProject();
  await using server = await openDockerServer();
  const data = await project.volume('data');
  await project.service('web', { mounts: [volumeMount(data, '/data')] });
  const { backup: first } = await complete(server, project);
  const { backup: second } = await complete(server, project);
  const snapshots = () => readdirSync(join(first.repository, 'snapshots')).length;
  expect(snapshots()).toBe(4);
  const { job } = await server.client.call('backup.delete', { params: { backup: first.id } });
  expect(await server.ended(job)).toMatchObject({ state: 'done' });
  await expect(get(server, first.id)).rejects.toMatchObject({ report: { code: 'backup-unknown' } });
  expect(snapshots()).toBe(2);
  expect((await get(server, second.id)).status).toBe('ready');
  expect(readFileSync(first.passwordFile, 'utf8')).toMatch(/\S/);
});
