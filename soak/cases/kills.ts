import { type CutAppSize, victims, wideSize } from '../../e2e/support/cut-app.ts';
import { type KillOptions, killBackups } from '../../e2e/support/kill-backups.ts';
import { killRestores } from '../../e2e/support/kill-restores.ts';
import { type MeasuredApp, measuredApp } from '../../e2e/support/measured-app.ts';
import type { SoakCase } from '../soak-case.ts';

/** SIGKILL at random moments, to the server, the mover and both. */
export const killCases: readonly SoakCase[] = [
  killCase('kill-backup', killBackups),
  killCase('kill-restore', killRestores),
];

export const killRestoreCase: SoakCase = killCase('kill-wide', killRestores, wideSize);

function killCase(
  name: string,
  cut: (measured: MeasuredApp, options: KillOptions) => Promise<void>,
  size?: CutAppSize,
): SoakCase {
  return {
    name,
    run: async ({ seed, kills, signal, say }) => {
      const measured = await measuredApp(`hfsoak-${name}`, size);
      const rounds = Math.ceil(kills / victims.length);
      const failed: string[] = [];
      let runs = 0;
      try {
        for (const victim of victims) {
          const onRound = (round: number, outcome: string): void => {
            runs += 1;
            say(`${round}/${rounds} ${victim}: ${outcome}`);
            signal.throwIfAborted();
          };
          try {
            await cut(measured, { victim, rounds, seed, onRound });
          } catch (error) {
            signal.throwIfAborted();
            failed.push(`${victim}, seed ${seed}: ${error instanceof Error ? error.message : error}`);
          }
        }
      } finally {
        await measured.app[Symbol.asyncDispose]();
      }
      return { runs, failed };
    },
  };
}
