import { CorruptionSite, corruptions, proveCorruption, SeededRandom } from '@holdfast/engine/soak';
import type { SoakCase } from '../soak-case.ts';

const rounds = 6;

/** Every kind of file damaged in every way, at many places. */
export const corruptionCase: SoakCase = {
  name: 'corruption',
  run: async ({ seed, path, say }) => {
    const site = await CorruptionSite.make(path, seed);
    const failed: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const random = new SeededRandom(seed + round);
      for (const corruption of corruptions) {
        try {
          await proveCorruption(site, corruption, random);
        } catch (error) {
          failed.push(`round ${round}: ${error instanceof Error ? error.message : error}`);
          say(failed.at(-1) ?? '');
        }
      }
      say(`round ${round + 1}/${rounds}, ${failed.length} failed`);
    }
    return { runs: rounds * corruptions.length, failed };
  },
};
