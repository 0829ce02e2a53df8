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
  it('the app runs again, wholly old or wholly new, and the job says which', async () => {
    await killRestores(measured, { victim, rounds, seed });
  });
});
