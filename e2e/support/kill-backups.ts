import assert from 'node:assert/strict';
import { type Victim, victims } from './cut-app.ts';
import type { MeasuredApp } from './measured-app.ts';
import { eventually } from './process.ts';
import { seededRandom } from './random.ts';
import { checkWithRestic } from './restic.ts';

/** What a kill damaged stays damaged: looking after every fourth, and after the last, misses nothing. */
const roundsPerCheck = 4;
const thawTimeoutMs = 20_000;

export interface KillOptions {
  readonly victim: Victim;
  readonly rounds: number;
  readonly seed: number;
  /** Called after each with how its backup ended. */
  readonly onRound?: (round: number, outcome: string) => void;
}

/**
 * SIGKILL at seeded random moments of a backup: each time the app goes on, the job ends with a reason, stock restic finds
 * nothing wrong; at the end the first backup restores to what it was.
 * @throws AssertionError at the first moment where that is not so
 */
export async function killBackups(
  { app, backupMs, firstBackup, firstState }: MeasuredApp,
  { victim, rounds, seed, onRound }: KillOptions,
): Promise<void> {
  const random = seededRandom(seed + victims.indexOf(victim));
  for (let round = 1; round <= rounds; round += 1) {
    app.mutate(round);
    const { backupId, job } = await app.startBackup();
    await app.killAfter(victim, random() * backupMs);
    const isThawed = async () => (await app.project.containerState('app')) === 'running';
    await eventually('the app is thawed', isThawed, thawTimeoutMs);
    const ended = await app.comeBackAndSettle(job);
    const backup = await app.holdfast.client().call('backup.get', { params: { backup: backupId } });
    if (ended.state === 'done') {
      assert.equal(backup.status, 'ready');
    } else {
      assert.equal(ended.state, 'failed');
      assert.match(ended.error?.message ?? '', /\w+ \w+/);
      assert.equal(backup.status, 'failed');
    }
    assert.equal(await app.project.containerState('app'), 'running');
    assert.deepEqual(app.holdfast.moverPids(), []);
    if (round % roundsPerCheck === 0 || round === rounds) await checkWithRestic(backup);
    onRound?.(round, ended.error?.code ?? ended.state);
  }
  assert.equal((await app.settled(await app.startRestore(firstBackup))).state, 'done');
  assert.equal(app.digest(), firstState);
}
