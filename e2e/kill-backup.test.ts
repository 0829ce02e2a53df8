import { afterAll, beforeAll, describe, it } from 'vitest';
import { victims } from './support/cut-app.ts';
import { killBackups } from './support/kill-backups.ts';
import { type MeasuredApp, measuredApp, rounds, seed } from './support/measured-app.ts';

/** SIGKILL at seeded random moments of a backup. */

let measured: MeasuredApp;

beforeAll(async () => {
  measured = await measuredApp('killed-backup');
});

afterAll(async () => {
  await measured?.app[Symbol.asyncDispose]();
});

describe.each(victims)(`${rounds} moments of a backup, seed ${seed}: SIGKILL of %s`, (victim) => {
  it('the app goes on, the job ends with a reason, nothing that counts is lost', async () => {
    await killBackups(measured, { victim, rounds, seed });
  });
});
