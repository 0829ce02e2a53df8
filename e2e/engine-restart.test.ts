import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ComposeProject } from './support/compose.ts';
import { CutApp } from './support/cut-app.ts';
import { HoldfastContainer } from './support/holdfast-container.ts';
import { eventually, mustRun } from './support/process.ts';
import { stayFrozen } from './support/stay-frozen.ts';

const testbed = fileURLToPath(new URL('../script/testbed', import.meta.url));
let app: CutApp;

beforeAll(async () => {
  app = await CutApp.start('restarted');
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

it('a cut restore stays stopped over a restart of the engine, whatever the restart policy was', async () => {
  const firstState = app.digest();
  const { backupId, job: backup } = await app.startBackup();
  expect((await app.settled(backup)).state).toBe('done');
  for (let round = 0; round < 10; round += 1) app.mutate(round);

  const job = await app.startRestore(backupId);
  const clear = await app.barSwap();
  const ended = await app.settled(job);
  expect(ended.state).toBe('failed');
  expect(ended.error?.message).toMatch(/stopped/);
  expect(app.digest()).not.toBe(firstState);
  await app.holdfast.killServer();
  await mustRun(testbed, ['down', 'docker']);
  await mustRun(testbed, ['up', 'docker']);
  await delay(1_500);
  expect(await app.project.containerState('app')).toBe('exited');

  await app.comeBackAndSettle(job);
  expect(await app.project.containerState('app')).toBe('exited');
  clear();
  expect((await app.settled(await app.startRestore(backupId))).state).toBe('done');
  expect(app.digest()).toBe(firstState);
  expect(await app.project.containerState('app')).toBe('running');
  expect(await app.project.restartPolicy('app')).toBe('always');
});

it('the guard of a server in a container outlives both, and leaves nothing paused', async () => {
  await using holdfast = await HoldfastContainer.start();
  await using project = await ComposeProject.up('small', 'restarted-frozen');
  const job = await stayFrozen(holdfast, project);
  await mustRun(testbed, ['down', 'docker']);
  await mustRun(testbed, ['up', 'docker']);
  await eventually('the app goes on', async () => (await project.containerState('app')) === 'running');
  await eventually('the guard is gone', async () => (await holdfast.ownContainers('guard')).length === 0);
  await holdfast.startServer();
  expect((await holdfast.endOf(job)).state).toBe('failed');
  const backup = await holdfast.getBackup(await holdfast.createBackup(project.name));
  expect(backup.status).toBe('ready');
});
