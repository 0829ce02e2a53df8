import type { BackupId } from '@holdfast/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CutApp, victims } from './support/cut-app.ts';
import { eventually } from './support/process.ts';
import { seededRandom } from './support/random.ts';
import { checkWithRestic } from './support/restic.ts';

/** SIGKILL at seeded random moments of a backup and of a restore. The seed is in the test's name: a failure can be run again. */
const rounds = Number(process.env.HOLDFAST_TEST_KILLS ?? 20);
const seed = Number(process.env.HOLDFAST_TEST_SEED ?? 2026);
/** What a kill damaged stays damaged: looking after every fourth, and after the last, misses nothing. */
const roundsPerCheck = 4;

let app: CutApp;
let firstBackup: BackupId;
let firstState: string;
let backupMs: number;
let restoreMs: number;

beforeAll(async () => {
  app = await CutApp.start('killed');
  app.mutate(0);
  const started = performance.now();
  const { backupId, job } = await app.startBackup();
  expect((await app.settled(job)).state).toBe('done');
  backupMs = performance.now() - started;
  firstBackup = backupId;
  firstState = app.digest();
  app.mutate(1);
  const restoring = performance.now();
  expect((await app.settled(await app.startRestore(firstBackup))).state).toBe('done');
  restoreMs = performance.now() - restoring;
  expect(app.digest()).toBe(firstState);
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
});

describe.each(victims)(`${rounds} moments of a backup, seed ${seed}: SIGKILL of %s`, (victim) => {
  it('the app goes on, the job ends with a reason, nothing that counts is lost', async () => {
    const random = seededRandom(seed + victims.indexOf(victim));
    for (let round = 1; round <= rounds; round += 1) {
      app.mutate(round);
      const { backupId, job } = await app.startBackup();
      await app.killAfter(victim, random() * backupMs);
      const isThawed = async () => (await app.project.containerState('app')) === 'running';
      await eventually('the app is thawed', isThawed, 20_000);
      const ended = await app.comeBackAndSettle(job);
      const backup = await app.holdfast.client().call('backup.get', { params: { backup: backupId } });
      if (ended.state === 'done') {
        expect(backup.status).toBe('ready');
      } else {
        expect(ended.state).toBe('failed');
        expect(ended.error?.message).toMatch(/\w+ \w+/);
        expect(backup.status).toBe('failed');
      }
      expect(await app.project.containerState('app')).toBe('running');
      expect(app.holdfast.moverPids()).toEqual([]);
      if (round % roundsPerCheck === 0 || round === rounds) await checkWithRestic(backup);
    }
    expect((await app.settled(await app.startRestore(firstBackup))).state).toBe('done');
    expect(app.digest()).toBe(firstState);
  });
});

describe.each(victims)(`${rounds} moments of a restore, seed ${seed}: SIGKILL of %s`, (victim) => {
  it('a cut restore stays stopped and says so, and the same command again completes it', async () => {
    const random = seededRandom(seed + 10 + victims.indexOf(victim));
    const environment = app.project.name;
    for (let round = 1; round <= rounds; round += 1) {
      app.mutate(round);
      const before = app.digest();
      const job = await app.startRestore(firstBackup);
      await app.killAfter(victim, random() * restoreMs);
      const ended = await app.comeBackAndSettle(job);
      const { unfinishedRestore } = await app.holdfast
        .client()
        .call('environment.get', { params: { environment } });
      if (unfinishedRestore !== null) {
        expect(ended.state).toBe('failed');
        expect(ended.error?.message).toMatch(/stopped/);
        expect(await app.project.containerState('app')).toBe('exited');
        expect(await app.project.restartPolicy('app')).toBe('no');
        const refused = await app.holdfast.run(['backup:create', environment]);
        expect(refused.stderr).toMatch(/^error\[environment-unfinished-restore\]/m);
        expect((await app.settled(await app.startRestore(firstBackup))).state).toBe('done');
        expect(app.digest()).toBe(firstState);
      } else {
        expect(app.digest()).toBe(ended.state === 'done' ? firstState : before);
      }
      expect(await app.project.containerState('app')).toBe('running');
      expect(await app.project.restartPolicy('app')).toBe('always');
      expect(app.holdfast.moverPids()).toEqual([]);
    }
    await checkWithRestic(await app.holdfast.getBackup(firstBackup));
  });
});
