import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { victims } from './support/cut-app.ts';
import { type MeasuredApp, measuredApp, rounds, seed } from './support/measured-app.ts';
import { eventually } from './support/process.ts';
import { seededRandom } from './support/random.ts';
import { checkWithRestic } from './support/restic.ts';

/** SIGKILL at seeded random moments of a backup. */

/** What a kill damaged stays damaged: looking after every fourth, and after the last, misses nothing. */
const roundsPerCheck = 4;

let measured: MeasuredApp;

beforeAll(async () => {
  measured = await measuredApp('killed-backup');
});

afterAll(async () => {
  await measured?.app[Symbol.asyncDispose]();
});

describe.each(victims)(`${rounds} moments of a backup, seed ${seed}: SIGKILL of %s`, (victim) => {
  it('the app goes on, the job ends with a reason, nothing that counts is lost', async () => {
    const { app, backupMs, firstBackup, firstState } = measured;
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
