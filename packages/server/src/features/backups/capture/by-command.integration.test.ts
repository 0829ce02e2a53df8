import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '@holdfast/base';
import type { Backup, Job } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../../testing/docker-server.ts';
import { openTestProject, type TestProject, volumeMount } from '../../../testing/test-project.ts';

interface BackupBody {
  readonly components?: string[];
  readonly instance?: string;
  readonly mode?: 'live';
}

async function complete(server: DockerServer, project: TestProject, body: BackupBody = {}) {
  const { client } = server;
  const { job, backupId } = await client.call('backup.create', {
    params: { environment: project.name },
    body: { ...body, code: false },
  });
  const ended = await server.ended(job);
  return { job: ended, backup: await client.call('backup.get', { params: { backup: backupId } }) };
}

async function restore(
  server: DockerServer,
  backup: Backup,
  body: { readonly components?: string[]; readonly instance?: string } = {},
): Promise<Job> {
  const { job } = await server.client.call('backup.restore', { params: { backup: backup.id }, body });
  return await server.ended(job);
}

async function logOf(server: DockerServer, backup: Backup, of: 'backup' | 'restore' = 'backup') {
  const { log } = await server.client.call('backup.log', { params: { backup: backup.id }, query: { of } });
  return log.map(({ message }) => message).join('\n');
}

async function inContainer({ docker }: TestProject, container: string, command: string): Promise<string> {
  const session = await docker.containers.exec(container, {
    command: ['sh', '-c', command],
    timeoutMs: 60_000,
  });
  session.stdin.end();
  session.stderr.resume();
  let output = '';
  for await (const piece of session.stdout) output += String(piece);
  return output.trim();
}

const processes = 'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline; echo; done';

function dumped(backupCommand: string, restoreCommand = 'cat >/data/state') {
  return { 'holdfast.backup.command': backupCommand, 'holdfast.restore.command': restoreCommand };
}

/** One component with files, one that is backed up by a command, though it has a volume too. */
async function openShop(labels: Record<string, string> = dumped('cat /data/state')) {
  const project = await openTestProject();
  const files = await project.volume('files');
  const data = await project.volume('data');
  await writeFile(join(await project.pathOf(files), 'file'), 'a file');
  await writeFile(join(await project.pathOf(data), 'state'), 'the state');
  const web = await project.service('web', { mounts: [volumeMount(files, '/files')] });
  const db = await project.service('db', { mounts: [volumeMount(data, '/data')], labels });
  return { project, files, data, web, db };
}

describe('a component with a backup command', () => {
  test('is backed up by that, in the place of its own mounts, and restored while it runs', async () => {
    await using server = await openDockerServer();
    const { project, files, data, db } = await openShop();
    await using _ = project;
    const { job, backup } = await complete(server, project);
    expect(job.error).toBeNull();
    expect(backup).toMatchObject({ status: 'ready', mode: 'consistent' });
    expect(backup.parts.map(({ name, bytes }) => [name, bytes])).toEqual([
      [files, 6],
      ['db:command', 9],
    ]);
    const environment = await server.client.call('environment.get', {
      params: { environment: project.name },
    });
    expect(environment.commands).toEqual([{ component: 'db', backup: true, restore: true }]);
    expect(environment.mounts.find(({ name }) => name === data)).toMatchObject({
      included: false,
      reason: 'the backup command of db covers it',
    });
    expect(await logOf(server, backup)).toMatch(/db:command: the backup command ended with status 0/);

    await writeFile(join(await project.pathOf(files), 'file'), 'wrecked');
    await writeFile(join(await project.pathOf(data), 'state'), 'wrecked');
    const { startedAt } = (await project.docker.containers.inspect(db)).state;
    expect(await restore(server, backup, { components: ['db'] })).toMatchObject({ state: 'done' });
    expect(await inContainer(project, db, 'cat /data/state')).toBe('the state');
    expect((await project.docker.containers.inspect(db)).state.startedAt).toBe(startedAt);
    expect(await inContainer(project, db, 'ls /data')).toBe('state');
    expect(await logOf(server, backup, 'restore')).toMatch(/the restore command ended with status 0/);

    await writeFile(join(await project.pathOf(data), 'state'), 'wrecked again');
    expect(await restore(server, backup)).toMatchObject({ state: 'done' });
    expect(await inContainer(project, db, 'cat /data/state')).toBe('the state');
  });

  test('can be set by the API, which beats labels, and be taken back', async () => {
    await using server = await openDockerServer();
    const { project, db } = await openShop({});
    await using _ = project;
    const params = { environment: project.name, component: 'db' };
    const set = await server.client.call('component.update', {
      params,
      body: { integrations: { backups: { backup: { command: 'echo set by API', timeout: '1m' } } } },
    });
    expect(set.integrations.backups.backup).toEqual({
      command: 'echo set by API',
      timeout: '1m',
      cron_string: null,
    });
    const { backup } = await complete(server, project, { components: ['db'] });
    expect(backup).toMatchObject({ status: 'ready', mode: 'live', bytes: 11 });
    const refused = await restore(server, backup);
    expect(refused.error).toMatchObject({ code: 'environment-empty' });
    await server.client.call('component.update', {
      params,
      body: { integrations: { backups: { restore: { command: 'cat >/tmp/taken' } } } },
    });
    expect(await restore(server, backup)).toMatchObject({ state: 'done' });
    expect(await inContainer(project, db, 'cat /tmp/taken')).toBe('set by API');
    await server.client.call('component.update', { params, body: { integrations: { backups: null } } });
    const { backup: files } = await complete(server, project, { components: ['db'] });
    expect(files.parts[0]?.source.kind).toBe('volume');
    await expect(
      server.client.call('component.update', {
        params: { ...params, component: 'none' },
        body: { integrations: { backups: null } },
      }),
    ).rejects.toMatchObject({ report: { code: 'component-unknown' } });
    await expect(
      server.client.call('component.update', {
        params,
        body: { integrations: { backups: { preset: 'oracle' } } },
      }),
    ).rejects.toMatchObject({ report: { code: 'usage-invalid' } });
  });

  test('whose command fails has no backup; one of before stays', async () => {
    await using server = await openDockerServer();
    const { project } = await openShop(dumped('cat /data/state; echo "it broke" >&2; exit 5'));
    await using _ = project;
    const { job, backup } = await complete(server, project);
    expect(job.error?.code).toBe('command-failed');
    expect(backup).toMatchObject({ status: 'failed', parts: [] });
    expect(await logOf(server, backup)).toContain('db:command | it broke');
    await expect(
      server.client.call('backup.restore', { params: { backup: backup.id }, body: {} }),
    ).rejects.toMatchObject({ report: { code: 'backup-not-ready' } });
  });

  test('runs in the instance that is named, else in the first healthy one', async () => {
    await using server = await openDockerServer();
    await using project = await openTestProject();
    const labels = { ...dumped('hostname'), 'com.docker.compose.service': 'db' };
    const first = await project.service('db', { labels, isStarted: false });
    const second = await project.service('db2', { labels });
    const hosts = [first, second].map((id) => id.slice(0, 12));
    const bytes = async (body: BackupBody) => await complete(server, project, body);
    expect((await bytes({})).job.error).toBeNull();
    expect((await bytes({ instance: `${project.name}-db2-1` })).job.error).toBeNull();
    expect((await bytes({ instance: `${project.name}-db-1` })).job.error?.code).toBe('instance-not-running');
    await expect(bytes({ instance: 'nobody' })).rejects.toMatchObject({
      report: { code: 'instance-unknown' },
    });
    expect(hosts[0]).not.toBe(hosts[1]);
  });
});

describe('a command that is cut off', () => {
  test('a cancel kills it', async () => {
    await using server = await openDockerServer();
    const { project, db } = await openShop(dumped('touch /tmp/on; sleep 781'));
    await using _ = project;
    const { job } = await server.client.call('backup.create', {
      params: { environment: project.name },
      body: { components: ['db'], code: false },
    });
    await inContainer(project, db, 'until [ -e /tmp/on ]; do sleep 0.1; done');
    await server.client.call('job.cancel', { params: { job: job.id } });
    expect((await server.ended(job)).state).toBe('cancelled');
    expect(await inContainer(project, db, processes)).not.toContain('sleep 781');
  });

  test('the death of the server ends it, and the next server says so', async () => {
    await using server = await openDockerServer();
    const { project, db } = await openShop(dumped('touch /tmp/on; sleep 782'));
    await using _ = project;
    const { job } = await server.client.call('backup.create', {
      params: { environment: project.name },
      body: { components: ['db'], code: false },
    });
    await inContainer(project, db, 'until [ -e /tmp/on ]; do sleep 0.1; done');
    await server.kill();
    await server.start();
    expect((await server.ended(job)).error?.code).toBe('server-lost');
    expect(await inContainer(project, db, processes)).not.toContain('sleep 782');
  });

  test('its container dies: the backup fails', async () => {
    await using server = await openDockerServer();
    const { project, db } = await openShop(dumped('echo some of it; touch /tmp/on; sleep 783'));
    await using _ = project;
    const { job, backupId } = await server.client.call('backup.create', {
      params: { environment: project.name },
      body: { components: ['db'], code: false },
    });
    await inContainer(project, db, 'until [ -e /tmp/on ]; do sleep 0.1; done');
    await project.docker.containers.stop(db, { graceSeconds: 0 });
    expect((await server.ended(job)).state).toBe('failed');
    const backup = await server.client.call('backup.get', { params: { backup: backupId } });
    expect(backup).toMatchObject({ status: 'failed', parts: [] });
  });

  test('a restore that the server did not live to see goes on by itself, and is told by the next', async () => {
    await using server = await openDockerServer();
    const { project, data } = await openShop(
      dumped('cat /data/state', 'touch /data/on; sleep 2; cat >/data/state'),
    );
    await using _ = project;
    const { backup } = await complete(server, project, { components: ['db'] });
    const state = join(await project.pathOf(data), 'state');
    await writeFile(state, 'wrecked');
    const { job } = await server.client.call('backup.restore', { params: { backup: backup.id }, body: {} });
    while (!existsSync(join(await project.pathOf(data), 'on'))) await sleep(20);
    await server.kill();
    await server.start();
    expect(await server.ended(job)).toMatchObject({ state: 'done', error: null });
    expect(readFileSync(state, 'utf8')).toBe('the state');
  });
});
