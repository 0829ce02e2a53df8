import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
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
  body: {
    readonly components?: string[];
    readonly allowEmpty?: boolean;
    readonly mode?: 'live';
    readonly fallback?: 'live';
  } = {},
) {
  // What is beside data has a test of its own.
  const onlyData = { ...body, code: false };
  return await client.call('backup.create', { params: { environment: project.name }, body: onlyData });
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

const megabyte = 1024 * 1024;

/** One file. With `touching` in a service, each pass has to copy it: long enough for a test to see the freeze. */
async function fill(project: TestProject, volume: string, megabytes: number): Promise<void> {
  const file = openSync(join(await project.pathOf(volume), 'large'), 'w');
  for (let written = 0; written < megabytes; written += 1) writeSync(file, randomBytes(megabyte));
  closeSync(file);
}

const touching = 'while true; do echo >> /data/large; sleep 0.02; done';

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
    expect(backup).toMatchObject({
      status: 'ready',
      mode: 'consistent',
      components: ['stopped', 'web'],
      capture: { frozenMs: expect.any(Number), requestsHeld: null },
    });
    expect(backup.parts.map(({ name }) => name).sort()).toEqual(['./conf', data].sort());
    expect(backup.parts.find(({ name }) => name === data)?.mountPoints).toHaveLength(2);
    expect((await project.docker.containers.inspect(web)).state).toMatchObject({ paused: false, startedAt });
    expect((await project.docker.containers.inspect(stopped)).state.status).toBe('created');
    expect(await logOf(server, backup)).toMatch(
      /Paused hfserver-[0-9a-f]+-web-1\n[\s\S]*The containers go on/,
    );
    await expect
      .poll(() => readdirSync(join(server.dataDirectory, 'tasks')), { timeout: 10_000 })
      .toEqual([]);
  });

  test('pauses others that write to its volumes too', async () => {
    await using project = await openTestProject();
    await using other = await openTestProject();
    await using server = await openDockerServer();
    const data = await project.volume('data');
    const mounts = [volumeMount(data, '/data')];
    await project.service('web', { mounts });
    await other.service('worker', { mounts });
    await other.service('reader', { mounts: mounts.map((mount) => ({ ...mount, readOnly: true })) });
    await other.service('elsewhere', {});
    const { backup } = await complete(server, project);
    const paused = /^Paused (.*)$/m
      .exec(await logOf(server, backup))?.[1]
      ?.split(', ')
      .sort();
    expect(paused).toEqual([`${project.name}-web-1`, `${other.name}-worker-1`].sort());
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

  test('whose source lost nearly all it had is told, and counts for nothing until it is accepted', async () => {
    await using project = await openTestProject();
    await using server = await openDockerServer();
    const data = await project.volume('data');
    await project.service('web', { mounts: [volumeMount(data, '/data')] });
    await fill(project, data, 1);
    const good = (await complete(server, project)).backup;
    expect(good.doubt).toBeNull();
    writeFileSync(join(await project.pathOf(data), 'large'), 'lost');
    const { job, backup: doubtful } = await complete(server, project);
    const doubt = `${data} has 4 bytes, and had 1048576.`;
    expect(job).toMatchObject({ state: 'warnings', warnings: [expect.stringContaining(doubt)] });
    expect(doubtful).toMatchObject({ status: 'ready', doubt });
    // It is the good one that the next is compared with.
    expect((await complete(server, project)).backup.doubt).toBe(doubt);
    const params = { backup: doubtful.id };
    expect(await server.client.call('backup.accept', { params })).toMatchObject({ doubt: null });
    expect((await complete(server, project)).job).toMatchObject({ state: 'done', warnings: [] });
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
  /** The app is paused, and stays so until the mover, which is stopped, goes on. */
  async function underWay({
    flags = [],
    labels = {},
    body = {},
  }: {
    readonly flags?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly body?: CreateBody;
  } = {}) {
    const stack = new AsyncDisposableStack();
    const project = stack.use(await openTestProject());
    const server = stack.use(await openDockerServer(flags));
    const data = await project.volume('data');
    await fill(project, data, 150);
    const mounts = [volumeMount(data, '/data')];
    const web = await project.service('web', { script: touching, mounts, labels });
    const { job, backupId } = await create(server, project, body);
    await untilFrozen(project, web);
    server.signalMovers('SIGSTOP');
    await server.reaches(job, 'Setting aside what changed');
    expect(await isFrozen(project, web)).toBe(true);
    return { project, server, web, job, backupId, dispose: stack };
  }

  async function expectNextIsReady(server: DockerServer, project: TestProject): Promise<void> {
    expect((await complete(server, project)).backup.status).toBe('ready');
  }

  test('by cancelling is cancelled, and the app goes on', async () => {
    const { project, server, web, job, backupId, dispose } = await underWay();
    await using _ = dispose;
    await server.client.call('job.cancel', { params: { job: job.id } });
    server.signalMovers('SIGCONT');
    expect(await server.ended(job)).toMatchObject({ state: 'cancelled' });
    expect(await isFrozen(project, web)).toBe(false);
    expect(await get(server, backupId)).toMatchObject({ status: 'cancelled' });
    await expectNextIsReady(server, project);
  });

  test('by the death of its mover fails with the reason, and the app goes on', async () => {
    const { project, server, web, job, backupId, dispose } = await underWay();
    await using _ = dispose;
    server.signalMovers('SIGKILL');
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'mover-lost' } });
    expect(await isFrozen(project, web)).toBe(false);
    expect(await get(server, backupId)).toMatchObject({ status: 'failed' });
    await expectNextIsReady(server, project);
  });

  test('by stopping the server fails with the reason, and the app goes on', async () => {
    const { project, server, web, job, backupId, dispose } = await underWay();
    await using _ = dispose;
    server.signalMovers('SIGCONT');
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
    server.signalMovers('SIGCONT');
    await untilThawed(project, web);
    await server.start();
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'server-lost' } });
    expect(await get(server, backupId)).toMatchObject({ status: 'failed' });
    await expectNextIsReady(server, project);
  });

  test('by the hold limit is thawed and fails with the limit', async () => {
    const { project, server, web, job, dispose } = await underWay({ flags: ['--hold-limit', '3s'] });
    await using _ = dispose;
    await untilThawed(project, web);
    server.signalMovers('SIGCONT');
    const ended = await server.ended(job);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'freeze-limit-reached' } });
  });

  test('by the hold limit of its labels is a live one, if that was asked for', async () => {
    const { project, server, web, job, backupId, dispose } = await underWay({
      flags: ['--hold-limit', '30m'],
      labels: { 'holdfast.hold.limit': '3s' },
      body: { fallback: 'live' },
    });
    await using _ = dispose;
    await untilThawed(project, web);
    server.signalMovers('SIGCONT');
    expect(await server.ended(job)).toMatchObject({ state: 'warnings' });
    const backup = await get(server, backupId);
    expect(backup).toMatchObject({ status: 'ready', mode: 'live', capture: { frozenMs: null } });
    expect(await logOf(server, backup)).toContain('may not agree with each other');
  });

  test.each<readonly [string, (project: TestProject, web: string) => Promise<unknown>]>([
    ['unpauses a container', async (project, web) => await project.docker.containers.unpause(web)],
    [
      'unpauses a container and pauses it again',
      async ({ docker: { containers } }, web) => {
        await containers.unpause(web);
        await containers.pause(web);
      },
    ],
    ['starts another container', async (project) => await project.service('late', {})],
  ])('by somebody who %s fails: it is not of one moment', async (_what, meddle) => {
    const { project, server, web, job, dispose } = await underWay();
    await using _ = dispose;
    await meddle(project, web);
    server.signalMovers('SIGCONT');
    expect(await server.ended(job)).toMatchObject({ state: 'failed', error: { code: 'freeze-broken' } });
    expect(await isFrozen(project, web)).toBe(false);
  });
});

test('an environment that would be paused for longer than the limit is not paused at all', async () => {
  await using project = await openTestProject();
  await using server = await openDockerServer(['--hold-limit', '100ms']);
  const data = await project.volume('data');
  await fill(project, data, 10);
  await project.service('web', { script: touching, mounts: [volumeMount(data, '/data')] });
  const { job, backup } = await complete(server, project);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'freeze-limit-reached' } });
  expect(await logOf(server, backup)).not.toContain('Paused');
});

describe('a proxy that holds requests by commands of its own', () => {
  async function withProxy(labels: Readonly<Record<string, string>>) {
    const stack = new AsyncDisposableStack();
    const project = stack.use(await openTestProject());
    const server = stack.use(await openDockerServer());
    const data = await project.volume('data');
    await project.service('app', { mounts: [volumeMount(data, '/data')] });
    const told = await project.volume('told');
    const proxy = await project.service('proxy', {
      mounts: [volumeMount(told, '/told')],
      labels: { 'holdfast.exclude': `${project.name}_told`, ...labels },
    });
    const read = async () => readFileSync(join(await project.pathOf(told), 'log'), 'utf8');
    return { project, server, proxy, read, dispose: stack };
  }

  test('is told before the pause and after it, and is not paused itself', async () => {
    const { project, server, read, dispose } = await withProxy({
      'holdfast.hold': 'echo "hold for $HOLDFAST_HOLD_SECONDS s" >>/told/log',
      'holdfast.release': 'echo release >>/told/log',
    });
    await using _ = dispose;
    const { job, backup } = await complete(server, project);
    expect(job.error).toBeNull();
    expect(await read()).toBe('hold for 10 s\nrelease\n');
    const log = await logOf(server, backup);
    expect(log).toMatch(/New requests wait in \S+-proxy-1/);
    expect(log).toMatch(/Paused \S+-app-1$/m);
  });

  test('that cannot be told fails the backup; it is told to release all the same, and nothing is paused', async () => {
    const { project, server, read, dispose } = await withProxy({
      'holdfast.hold': 'echo no >>/told/log; echo "not today" >&2; exit 3',
      'holdfast.release': 'echo release >>/told/log',
    });
    await using _ = dispose;
    const { job, backup } = await complete(server, project);
    expect(job.error).toMatchObject({ code: 'hold-failed', message: expect.stringContaining('not today') });
    expect(await read()).toBe('no\nrelease\n');
    expect(await logOf(server, backup)).not.toContain('Paused');
  });
});

describe('hooks', () => {
  async function projectWithHooks(labels: Readonly<Record<string, string>>) {
    const stack = new AsyncDisposableStack();
    const project = stack.use(await openTestProject());
    const server = stack.use(await openDockerServer());
    const data = await project.volume('data');
    const mounts = [volumeMount(data, '/data')];
    const hook = (service: string, when: string) => `echo ${when} ${service} | tee -a /data/hooks`;
    const hooks = (service: string) => ({
      'holdfast.backup.pre': hook(service, 'pre'),
      'holdfast.backup.post': hook(service, 'post'),
    });
    await project.service('db', { mounts, labels: hooks('db') });
    const dependsOn = { 'com.docker.compose.depends_on': 'db:service_started:false' };
    await project.service('web', { mounts, labels: { ...hooks('web'), ...dependsOn, ...labels } });
    const ran = async (): Promise<string[]> =>
      readFileSync(join(await project.pathOf(data), 'hooks'), 'utf8')
        .trimEnd()
        .split('\n');
    return { project, server, ran, dispose: stack };
  }

  test('run before and after, dependents outermost, and are in the log', async () => {
    const { project, server, ran, dispose } = await projectWithHooks({});
    await using _ = dispose;
    const { job, backup } = await complete(server, project);
    expect(job.state).toBe('done');
    expect(await ran()).toEqual(['pre web', 'pre db', 'post db', 'post web']);
    expect(await logOf(server, backup)).toMatch(/The pre hook of \S+-web-1 ended with 0 after .* s: pre web/);
  });

  test('that fail end the backup, and those after it run all the same', async () => {
    const { project, server, ran, dispose } = await projectWithHooks({
      'holdfast.backup.pre': 'echo no more room >&2; exit 3',
    });
    await using _ = dispose;
    const { job, backup } = await complete(server, project);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'hook-failed' } });
    expect(await logOf(server, backup)).toContain('no more room');
    expect(await ran()).toEqual(['post db', 'post web']);
  });

  test('may fail where the service says so, and may take only so long', async () => {
    const { project, server, dispose } = await projectWithHooks({
      'holdfast.backup.pre': 'sleep 100',
      'holdfast.hook.timeout': '1s',
      'holdfast.hook.on_error': 'warn',
    });
    await using _ = dispose;
    const { job, backup } = await complete(server, project);
    expect(job).toMatchObject({ state: 'warnings', warnings: [expect.stringContaining('within 1 s')] });
    expect(backup.status).toBe('ready');
  });
});

test('a live backup pauses nothing, and names what would not hold still', async () => {
  await using project = await openTestProject();
  await using server = await openDockerServer();
  const data = await project.volume('data');
  await fill(project, data, 60);
  await project.service('web', { script: touching, mounts: [volumeMount(data, '/data')] });
  const { job, backup } = await complete(server, project, { mode: 'live' });
  expect(job).toMatchObject({ state: 'warnings', warnings: [expect.stringContaining('/large')] });
  expect(backup).toMatchObject({
    status: 'ready',
    mode: 'live',
    capture: { frozenMs: null, unsteadyFiles: 1 },
  });
  expect(await logOf(server, backup)).not.toContain('Paused');
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
