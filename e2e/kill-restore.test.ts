import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { victims } from './support/cut-app.ts';
import { type MeasuredApp, measuredApp, rounds, seed } from './support/measured-app.ts';
import { seededRandom } from './support/random.ts';
import { checkWithRestic } from './support/restic.ts';

/** SIGKILL at seeded random moments of a restore. */

let measured: MeasuredApp;

beforeAll(async () => {
  measured = await measuredApp('killed-restore');
});

afterAll(async () => {
  await measured?.app[Symbol.asyncDispose]();
});

describe.each(victims)(`${rounds} moments of a restore, seed ${seed}: SIGKILL of %s`, (victim) => {
  it('a cut restore stays stopped and says so, and the same command again completes it', async () => {
    const { app, firstBackup, firstState, restoreMs } = measured;
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
