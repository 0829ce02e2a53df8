import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { backupIdSchema, type Job } from '@holdfast/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject, docker, volumeFolder } from './support/compose.ts';
import { HoldfastContainer } from './support/holdfast-container.ts';
import { eventually } from './support/process.ts';
import { checkWithRestic } from './support/restic.ts';
import { stayFrozen } from './support/stay-frozen.ts';
import { treeOf } from './support/tree.ts';

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

const isRunning = async () => (await project.containerState('app')) === 'running';
const ownContainers = (kind: string) => holdfast.ownContainers(kind);

async function backUpAndStayFrozen(): Promise<Job> {
  return await stayFrozen(holdfast, project);
}

it('SIGKILL of the server’s container inside a freeze: the app goes on by the guard alone', async () => {
  const job = await backUpAndStayFrozen();
  const killedAt = performance.now();
  await holdfast.killServer();
  await eventually('the app goes on', isRunning, holdLimitMs);
  expect(performance.now() - killedAt).toBeLessThan(holdLimitMs);
  await eventually('the guard is gone', async () => (await ownContainers('guard')).length === 0);

  await holdfast.startServer();
  const ended = await holdfast.endOf(job);
  expect(ended.state).toBe('failed');
  expect(ended.error?.code).toBe('server-lost');
  expect(await ownContainers('mover')).toEqual([]);
  const backup = await holdfast.getBackup(await holdfast.createBackup(project.name));
  expect(backup.status).toBe('ready');
  await checkWithRestic(holdfast.onMachine(backup));
});

it('a guard that is killed is started again, and thaws', async () => {
  const job = await backUpAndStayFrozen();
  const [guard = ''] = await ownContainers('guard');
  await holdfast.killServer();
  // As a crash would: the engine starts it again, which it would not after `docker kill`.
  const pid = (await docker('inspect', '--format', '{{.State.Pid}}', guard)).trim();
  process.kill(Number(pid), 'SIGKILL');
  await eventually('the app goes on', isRunning, holdLimitMs);
  await eventually('the guard is gone', async () => (await ownContainers('guard')).length === 0);
  await holdfast.startServer();
  expect((await holdfast.endOf(job)).state).toBe('failed');
});

it('thaws at the limit while the server lives, and the backup fails', async () => {
  const job = await backUpAndStayFrozen();
  const ended = await holdfast.endOf(job);
  expect(ended.error?.code).toBe('freeze-limit-reached');
  expect(await isRunning()).toBe(true);
  await delay(100);
  await eventually('the guard is gone', async () => (await ownContainers('guard')).length === 0);
  expect(await ownContainers('mover')).toEqual([]);
});

it('SIGKILL of the server’s container while a restore changes its target: the mover finishes alone', async () => {
  const files = await volumeFolder(`${project.name}_files`);
  for (let file = 0; file < 2000; file += 1)
    writeFileSync(join(files, `file-${file}`), `contents of ${file}`);
  const before = treeOf(files);
  const backup = backupIdSchema.parse(await holdfast.createBackup(project.name));
  for (let file = 0; file < 2000; file += 1) writeFileSync(join(files, `file-${file}`), 'later');
  const client = await holdfast.client();
  const { job } = await client.call('backup.restore', { params: { backup }, body: {} });
  await eventually('the target changes', () => readFileSync(join(files, 'file-0'), 'utf8') !== 'later');
  await holdfast.killServer();
  await holdfast.startServer();
  const ended = await holdfast.endOf(job);
  expect(ended.state).toBe('done');
  expect(treeOf(files)).toEqual(before);
  expect(await isRunning()).toBe(true);
  expect(await project.restartPolicy('app')).toBe('always');
  expect(await ownContainers('mover')).toEqual([]);
});
