import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '@holdfast/base';
import type { Job } from '@holdfast/protocol';
import { describe, expect, test } from 'vitest';
import { type DockerServer, openDockerServer } from '../../testing/docker-server.ts';
import {
  barSwap,
  expectAsBefore,
  expectStopped,
  readyBackup,
  restore,
  setUp,
  startRestore,
  stateOf,
  unfinishedRestore,
} from '../../testing/restoring.ts';
import { bindMount, openTestProject, volumeMount } from '../../testing/test-project.ts';

describe('a restore', () => {
  test('puts the mounts to the state of the backup, and everything else back as it was', async () => {
    const { project, server, path, web, idle, backup, contents, dispose } = await setUp();
    await using _ = dispose;
    expect(await restore(server, backup)).toMatchObject({ state: 'done', error: null, warnings: [] });
    expect(contents()).toBe('old');
    expect(readdirSync(path)).not.toContain('extra');
    await expectAsBefore(project, web, idle);
    expect(await unfinishedRestore(server, project)).toBeNull();
  });

  test('that is only to be previewed says what it would do, and does nothing of it', async () => {
    const { project, server, path, web, backup, contents, dispose } = await setUp();
    await using _ = dispose;
    const names = readdirSync(path);
    const { startedAt } = (await project.docker.containers.inspect(web)).state;
    const body = { dryRun: true };
    const { job } = await server.client.call('backup.restore', { params: { backup }, body });
    expect(job.kind).toBe('preview');
    expect(await server.ended(job)).toMatchObject({ state: 'done', error: null });
    const notes: string[] = [];
    for await (const event of server.client.stream('job.events', { params: { job: job.id } })) {
      if (event.type === 'log') notes.push(event.line.message);
    }
    const noted = notes.join('\n');
    expect(noted).toMatch(/: 40 files would be restored, 2\.3 MiB; 1 would be removed/);
    expect(noted).toMatch(/^ {2}~ file-0$/m);
    expect(noted).toMatch(/^ {2}- extra$/m);
    expect(noted).toContain('would be stopped, and started again: ');
    expect(contents()).toBe('new');
    expect(readdirSync(path)).toEqual(names);
    expect((await project.docker.containers.inspect(web)).state.startedAt).toBe(startedAt);
    expect((await server.client.call('backup.list', { query: { kind: 'safety' } })).backups).toEqual([]);
  });

  test('of an environment that was taken down makes its volumes and folders again, and nothing else', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const data = await project.volume('data');
    const conf = join(project.folder, 'etc', 'conf');
    mkdirSync(conf, { recursive: true });
    writeFileSync(join(conf, 'a.conf'), 'a', { mode: 0o600 });
    const file = join(project.folder, 'one.conf');
    writeFileSync(file, 'one');
    await project.service('web', {
      mounts: [volumeMount(data, '/data'), bindMount(conf, '/conf'), bindMount(file, '/one.conf')],
    });
    writeFileSync(join(await project.pathOf(data), 'file'), 'old');
    const before = await project.docker.volumes.inspect(data);
    const backup = await readyBackup(server, project);
    await project.down({ volumes: true });
    rmSync(join(project.folder, 'etc'), { recursive: true });
    rmSync(file);
    const restored = await startRestore(server, backup, undefined, { code: false });
    expect(await server.ended(restored)).toMatchObject({ state: 'done', warnings: [] });
    const after = await project.docker.volumes.inspect(data);
    expect({ ...after, mountpoint: '' }).toEqual({ ...before, mountpoint: '' });
    expect(readFileSync(join(after.mountpoint, 'file'), 'utf8')).toBe('old');
    expect(statSync(join(conf, 'a.conf')).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe('one');
    expect(readdirSync(project.folder).sort()).toEqual(['etc', 'one.conf']);

    // Or else its containers come back as well, and so does what they bind.
    await project.docker.volumes.remove(data);
    rmSync(join(project.folder, 'etc'), { recursive: true });
    rmSync(file);
    expect(await restore(server, backup)).toMatchObject({ state: 'done', warnings: [] });
    const params = { environment: project.name };
    const environment = await server.client.call('environment.get', { params });
    const [instance] = environment.components.flatMap(({ instances }) => instances);
    expect(instance?.state).toBe('running');
    expect([readFileSync(join(conf, 'a.conf'), 'utf8'), readFileSync(file, 'utf8')]).toEqual(['a', 'one']);
    await project.docker.containers.remove(instance?.containerId ?? '');
    await project.docker.volumes.remove(data);
  });

  test('with a component named leaves the mounts of others alone', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const [a, b] = [await project.volume('a'), await project.volume('b')];
    const [web, db] = [
      await project.service('web', { mounts: [volumeMount(a, '/a')] }),
      await project.service('db', { mounts: [volumeMount(b, '/b')] }),
    ];
    for (const each of [a, b]) writeFileSync(join(await project.pathOf(each), 'file'), 'old');
    const backup = await readyBackup(server, project);
    for (const each of [a, b]) writeFileSync(join(await project.pathOf(each), 'file'), 'new');
    expect(await restore(server, backup, ['db'])).toMatchObject({ state: 'done' });
    expect(readFileSync(join(await project.pathOf(a), 'file'), 'utf8')).toBe('new');
    expect(readFileSync(join(await project.pathOf(b), 'file'), 'utf8')).toBe('old');
    for (const id of [web, db]) expect((await stateOf(project, id)).isRunning).toBe(true);
  });

  test('says what has no place to go to, and restores the rest', async () => {
    const { project, server, data, backup, contents, dispose } = await setUp();
    await using _ = dispose;
    await project.down();
    const gone = await project.volume('other');
    await project.service('web', { mounts: [volumeMount(gone, '/data')] });
    const dataAlone = async () =>
      await server.ended(await startRestore(server, backup, undefined, { code: false }));
    const { state, error } = await dataAlone();
    // The volume is still the project's own, though nothing mounts it.
    expect({ state, error }).toEqual({ state: 'done', error: null });
    expect(contents()).toBe('old');
    await project.docker.volumes.remove(data);
    expect(await restore(server, backup)).toMatchObject({ state: 'failed', error: { code: 'code-refused' } });
    const again = await dataAlone();
    expect(again).toMatchObject({ state: 'failed', error: { code: 'environment-empty' } });
    expect(again.error?.hint).toContain(`has no volume ${data} now`);
  });

  test('is refused while a container of somebody else writes to a target', async () => {
    const { project, server, data, web, idle, backup, contents, dispose } = await setUp();
    await using _ = dispose;
    const stranger = await project.service('stranger', {
      mounts: [volumeMount(data, '/data')],
      labels: { 'com.docker.compose.project': `${project.name}-other` },
    });
    expect(await restore(server, backup)).toMatchObject({
      state: 'failed',
      error: { code: 'environment-busy' },
    });
    expect(contents()).toBe('new');
    await expectAsBefore(project, web, idle);
    await project.docker.containers.stop(stranger, { graceSeconds: 1 });
    expect(await restore(server, backup)).toMatchObject({ state: 'done' });
    expect((await stateOf(project, stranger)).isRunning).toBe(false);
  });

  test('of a damaged backup changes and stops nothing', async () => {
    const { project, server, web, idle, backup, contents, dispose } = await setUp();
    await using _ = dispose;
    const { startedAt } = (await project.docker.containers.inspect(web)).state;
    const { repository } = await server.client.call('backup.get', { params: { backup } });
    rmSync(join(repository, 'data'), { recursive: true });
    expect(await restore(server, backup)).toMatchObject({ state: 'failed' });
    expect(contents()).toBe('new');
    await expectAsBefore(project, web, idle);
    expect((await project.docker.containers.inspect(web)).state.startedAt).toBe(startedAt);
  });
});

/** What a restore makes in its targets, and removes at its end. */
const staging = expect.stringMatching(/^\.holdfast-restore-/);

/** Its mover stands still meanwhile: it would else be faster than whoever cancels. */
async function cancelWhileFetching(server: DockerServer, job: Job): Promise<void> {
  while (server.moverPids().length === 0) await sleep(2);
  server.signalMovers('SIGSTOP');
  await server.client.call('job.cancel', { params: { job: job.id } });
  server.signalMovers('SIGCONT');
}

/** With a warning, if it was not faster. */
const wasDone = ['done', 'warnings'];

/** Its newest mover has begun to change the targets. */
async function untilCommitted(server: DockerServer): Promise<void> {
  const folder = join(server.dataDirectory, 'tasks');
  const isCommitted = (): boolean =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .some((name) =>
        readFileSync(join(folder, name), 'utf8').includes('"type":"committed","manifest":null'),
      );
  while (!isCommitted()) await sleep(1);
}

describe('a restore that is cut short', () => {
  test('before it changes anything puts everything back', async () => {
    const { project, server, path, web, idle, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    const job = await startRestore(server, backup);
    await cancelWhileFetching(server, job);
    expect(await server.ended(job)).toMatchObject({ state: 'cancelled' });
    expect(readdirSync(path)).not.toContainEqual(staging);
    expect(contents()).toBe('new');
    await expectAsBefore(project, web, idle);
    expect(await unfinishedRestore(server, project)).toBeNull();
  });

  test('by the death of the server while it stops the containers puts everything back', async () => {
    const { project, server, web, idle, backup, contents, dispose } = await setUp();
    await using _ = dispose;
    const slow = await project.service('slow', { script: "trap '' TERM; sleep 1000" });
    const job = await startRestore(server, backup);
    await server.reaches(job, 'Stopping the containers');
    await sleep(300);
    await server.kill();
    await server.start();
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'server-lost' } });
    expect(contents()).toBe('new');
    await expectAsBefore(project, web, idle);
    await project.docker.containers.remove(slow);
    expect(await restore(server, backup)).toMatchObject({ state: 'done' });
  });

  test('by the death of its mover is completed by what lies with the targets', async () => {
    const { project, server, path, web, idle, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    const job = await startRestore(server, backup);
    await untilCommitted(server);
    server.signalMovers('SIGKILL');
    expect(wasDone).toContain((await server.ended(job)).state);
    expect(contents()).toBe('old');
    expect(readdirSync(path)).toHaveLength(2000);
    await expectAsBefore(project, web, idle);
  });

  test('and can be brought neither forward nor back stays stopped and says so; the next one completes it', async () => {
    const { project, server, path, web, idle, backup, contents, dispose } = await setUp(200);
    await using _ = dispose;
    const job = await startRestore(server, backup);
    const clear = await barSwap(path);
    const failed = await server.ended(job);
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'target-not-writable' } });
    clear();
    expect(failed.error?.message).toContain('stays stopped');
    expect(failed.error?.hint).toContain(`holdfast backup:restore ${backup}`);
    await expectStopped(project, web, idle);
    expect(await unfinishedRestore(server, project)).toMatchObject({ backupId: backup });

    const { client } = server;
    const refused = client.call('backup.create', { params: { environment: project.name }, body: {} });
    await expect(refused).rejects.toMatchObject({ report: { code: 'environment-unfinished-restore' } });

    const cancelled = await startRestore(server, backup);
    await cancelWhileFetching(server, cancelled);
    expect((await server.ended(cancelled)).state).toBe('cancelled');
    await expectStopped(project, web, idle);

    expect(await restore(server, backup)).toMatchObject({ state: 'done', warnings: [] });
    expect(contents()).toBe('old');
    expect(readdirSync(path)).toHaveLength(200);
    await expectAsBefore(project, web, idle);
    expect(await unfinishedRestore(server, project)).toBeNull();
  });

  test('by the death of the server alone is completed by the next one', async () => {
    const { project, server, path, web, idle, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    const job = await startRestore(server, backup);
    await server.reaches(job, 'Restoring');
    await server.kill();
    await server.start();
    expect(await server.ended(job)).toMatchObject({ state: 'done', error: null });
    expect(contents()).toBe('old');
    expect(readdirSync(path)).toHaveLength(2000);
    await expectAsBefore(project, web, idle);
  });

  test('by the death of server and mover is completed by the next server', async () => {
    const { project, server, path, web, idle, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    const job = await startRestore(server, backup);
    await untilCommitted(server);
    server.signalMovers('SIGSTOP');
    await server.kill();
    server.signalMovers('SIGKILL');
    await server.start();
    expect(wasDone).toContain((await server.ended(job)).state);
    expect(contents()).toBe('old');
    expect(readdirSync(path)).toHaveLength(2000);
    await expectAsBefore(project, web, idle);
  });

  test('by stopping the server is waited for, or completed by the next one', async () => {
    const { project, server, web, idle, backup, contents, dispose } = await setUp(2000);
    await using _ = dispose;
    const job = await startRestore(server, backup);
    await server.reaches(job, 'Restoring');
    expect(await server.stop()).toBe(0);
    await server.start();
    expect(await server.ended(job)).toMatchObject({ state: 'done' });
    expect(contents()).toBe('old');
    await expectAsBefore(project, web, idle);
  });
});
