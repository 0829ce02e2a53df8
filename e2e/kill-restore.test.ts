import { afterAll, beforeAll, describe, it } from 'vitest';
import { victims } from './support/cut-app.ts';
import { killRestores } from './support/kill-restores.ts';
import { type MeasuredApp, measuredApp, rounds, seed } from './support/measured-app.ts';

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
    await killRestores(measured, { victim, rounds, seed });
  });
});
