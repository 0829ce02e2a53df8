import { runCrashes, stockRestics, wantedPhases } from '@holdfast/engine/soak';
import type { SoakCase } from '../soak-case.ts';

const size = { largeFiles: 6, largeBytes: 7 * 1024 * 1024, smallFiles: 200 };
const leastOfPhase = 20;
/** Fewer kills than this cannot meet each phase so often. */
const wholeKills = 200;

/** SIGKILL at backup, forget, prune and key changes: nothing finished is lost, and stock restic finds nothing wrong. */
export const crashCase: SoakCase = {
  name: 'crash',
  run: async ({ seed, kills, path, say }) => {
    const [restic] = (await stockRestics()).slice(-1);
    if (restic === undefined) throw new Error('There is no stock restic.');
    const result = await runCrashes({
      path,
      restic,
      seed,
      kills,
      size,
      leastOfPhase: kills < wholeKills ? 0 : leastOfPhase,
      onKill: ({ number, planned, kill, phase, failure }) =>
        say(`${number}/${planned} ${kill}: ${phase ?? 'ended before'}, ${failure ?? 'ok'}`),
    });
    const { phases } = result;
    const rare = wantedPhases.filter((phase) => (phases[phase] ?? 0) < leastOfPhase);
    const missed =
      kills < wholeKills ? [] : rare.map((phase) => `only ${phases[phase] ?? 0} kills met ${phase}`);
    const failed = result.failures.map(({ number, kill, failure }) => `kill ${number}, ${kill}: ${failure}`);
    return { runs: result.kills, failed: [...failed, ...missed], facts: { phases } };
  },
};
