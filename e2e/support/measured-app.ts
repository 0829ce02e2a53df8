import assert from 'node:assert/strict';
import type { BackupId } from '@holdfast/protocol';
import { CutApp, type CutAppSize } from './cut-app.ts';

/** Kills of each victim. `npm run soak -- capture` has twenty. */
export const rounds = Number(process.env.HOLDFAST_TEST_KILLS ?? 5);
/** It is in the tests' names: a failure can be run again. */
export const seed = Number(process.env.HOLDFAST_TEST_SEED ?? 2026);

/** An app with a backup, and how long backing it up and restoring it take when nobody cuts them off. */
export interface MeasuredApp {
  readonly app: CutApp;
  readonly firstBackup: BackupId;
  readonly firstState: string;
  readonly backupMs: number;
  readonly restoreMs: number;
}

export async function measuredApp(environment: string, size?: CutAppSize): Promise<MeasuredApp> {
  const app = await CutApp.start(environment, size);
  app.mutate(0);
  const started = performance.now();
  const { backupId: firstBackup, job } = await app.startBackup();
  assert.equal((await app.settled(job)).state, 'done');
  const backupMs = performance.now() - started;
  const firstState = app.digest();
  app.mutate(1);
  const restoring = performance.now();
  assert.equal((await app.settled(await app.startRestore(firstBackup))).state, 'done');
  const restoreMs = performance.now() - restoring;
  assert.equal(app.digest(), firstState);
  return { app, firstBackup, firstState, backupMs, restoreMs };
}
