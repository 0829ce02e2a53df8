import { CorruptionSite, describeFault, faultVerbs, planFaults, proveFault } from '@holdfast/engine/soak';
import type { SoakCase } from '../soak-case.ts';

const mostCalls = 50;
const runsPerLine = 100;

/** Every call of the backend failing once and always, in every way, for every verb. */
export const faultsCase: SoakCase = {
  name: 'faults',
  run: async ({ seed, path, say }) => {
    const site = await CorruptionSite.make(path, seed);
    const planned = await planFaults(site, { verbs: faultVerbs, mostCalls });
    const failed: string[] = [];
    for (const [number, fault] of planned.entries()) {
      try {
        await proveFault(site, fault);
      } catch (error) {
        failed.push(`${describeFault(fault)}: ${error instanceof Error ? error.message : error}`);
        say(failed.at(-1) ?? '');
      }
      if ((number + 1) % runsPerLine === 0) say(`${number + 1}/${planned.length}, ${failed.length} failed`);
    }
    return { runs: planned.length, failed };
  },
};
