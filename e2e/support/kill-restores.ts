import assert from 'node:assert/strict';
import { victims } from './cut-app.ts';
import type { KillOptions } from './kill-backups.ts';
import type { MeasuredApp } from './measured-app.ts';
import { seededRandom } from './random.ts';
import { checkWithRestic } from './restic.ts';

const swapMs = 300;

/**
 * SIGKILL at seeded random moments of a restore: each time the app runs again, and is wholly as it was before or wholly as
 * the backup has it, and the job says which; at the end stock restic finds nothing wrong.
 * @throws AssertionError at the first moment where that is not so
 */
export async function killRestores(
  { app, firstBackup, firstState, restoreMs }: MeasuredApp,
  { victim, rounds, seed, onRound }: KillOptions,
): Promise<void> {
  const random = seededRandom(seed + 10 + victims.indexOf(victim));
  const environment = app.project.name;
  for (let round = 1; round <= rounds; round += 1) {
    app.mutate(round);
    const before = app.digest();
    const job = await app.startRestore(firstBackup);
    // Every other time while the targets change, which takes a small part of it all.
    if (round % 2 === 0) await app.reaches(job, 'Restoring');
    await app.killAfter(victim, random() * (round % 2 === 0 ? swapMs : restoreMs));
    const ended = await app.comeBackAndSettle(job);
    const client = app.holdfast.client();
    const { unfinishedRestore } = await client.call('environment.get', { params: { environment } });
    assert.equal(unfinishedRestore, null);
    assert.equal(app.digest(), ended.state === 'failed' ? before : firstState);
    assert.deepEqual(
      app.names().filter((name) => name.startsWith('.')),
      [],
    );
    assert.equal(await app.project.containerState('app'), 'running');
    assert.equal(await app.project.restartPolicy('app'), 'always');
    assert.deepEqual(app.holdfast.moverPids(), []);
    onRound?.(round, ended.error?.code ?? ended.state);
  }
  await checkWithRestic(await app.holdfast.getBackup(firstBackup));
}
