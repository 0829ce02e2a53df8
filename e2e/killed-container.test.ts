import { setTimeout as delay } from 'node:timers/promises';
import { isJobOver, type Job } from '@holdfast/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject, docker } from './support/compose.ts';
import { HoldfastContainer } from './support/holdfast-container.ts';
import { holdfastImage } from './support/image.ts';
import { eventually } from './support/process.ts';
import { checkWithRestic } from './support/restic.ts';

/** The default of `hold-limit`. */
const holdLimitMs = 10_000;

let holdfast: HoldfastContainer;
let project: ComposeProject;

beforeAll(async () => {
  holdfast = await HoldfastContainer.start();
  project = await ComposeProject.up('small', 'killed-container');
  await project.sh('app', 'echo contents > /files/file');
});

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await holdfast?.[Symbol.asyncDispose]();
});

const isPaused = async () => (await project.containerState('app')) === 'paused';
const isRunning = async () => (await project.containerState('app')) === 'running';

async function containersOf(kind: string): Promise<readonly string[]> {
  const filters = [
    '--filter',
    `label=holdfast.internal=${kind}`,
    '--filter',
    `ancestor=${await holdfastImage()}`,
  ];
  return (await docker('ps', '--all', '--quiet', ...filters)).split('\n').filter((id) => id !== '');
}

/** Begins a backup and holds it inside its freeze: its mover does not answer. */
async function backUpAndStayFrozen(): Promise<Job> {
  const client = await holdfast.client();
  const params = { environment: project.name };
  const { job } = await client.call('backup.create', { params, body: {} });
  await eventually('the pause comes next', async () => {
    const now = await client.call('job.get', { params: { job: job.id } });
    return now.step === 'Pausing the containers';
  });
  const [mover = ''] = await containersOf('mover');
  await docker('kill', '--signal', 'STOP', mover);
  await eventually('the app is paused', isPaused);
  return job;
}

async function endOf({ id }: Job): Promise<Job> {
  const client = await holdfast.client();
  return await eventually('the job ends', async () => {
    const job = await client.call('job.get', { params: { job: id } });
    return isJobOver(job.state) ? job : undefined;
  });
}

it('SIGKILL of the server’s container inside a freeze: the app goes on by the guard alone', async () => {
  const job = await backUpAndStayFrozen();
  const killedAt = performance.now();
  await holdfast.killServer();
  await eventually('the app goes on', isRunning, holdLimitMs);
  expect(performance.now() - killedAt).toBeLessThan(holdLimitMs);
  await eventually('the guard is gone', async () => (await containersOf('guard')).length === 0);

  await holdfast.startServer();
  const ended = await endOf(job);
  expect(ended.state).toBe('failed');
  expect(ended.error?.code).toBe('server-lost');
  expect(await containersOf('mover')).toEqual([]);
  const backup = await holdfast.getBackup(await holdfast.createBackup(project.name));
  expect(backup.status).toBe('ready');
  await checkWithRestic(holdfast.onMachine(backup));
});

it('a guard that is killed is started again, and thaws', async () => {
  const job = await backUpAndStayFrozen();
  const [guard = ''] = await containersOf('guard');
  await holdfast.killServer();
  // As a crash would: the engine starts it again, which it would not after `docker kill`.
  const pid = (await docker('inspect', '--format', '{{.State.Pid}}', guard)).trim();
  process.kill(Number(pid), 'SIGKILL');
  await eventually('the app goes on', isRunning, holdLimitMs);
  await eventually('the guard is gone', async () => (await containersOf('guard')).length === 0);
  await holdfast.startServer();
  expect((await endOf(job)).state).toBe('failed');
});

it('thaws at the limit while the server lives, and the backup fails', async () => {
  const job = await backUpAndStayFrozen();
  const ended = await endOf(job);
  expect(ended.error?.code).toBe('freeze-limit-reached');
  expect(await isRunning()).toBe(true);
  await delay(100);
  await eventually('the guard is gone', async () => (await containersOf('guard')).length === 0);
  expect(await containersOf('mover')).toEqual([]);
});
