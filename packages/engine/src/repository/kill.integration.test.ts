import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCrashes } from '../testing/crash/crash-run.ts';
import { scratchDirectory } from '../testing/scratch-directory.ts';
import { stockRestics } from '../testing/stock-restic.ts';

const seed = Number(process.env.HOLDFAST_TEST_SEED ?? 2026);
const size = { largeFiles: 3, largeBytes: 1024 * 1024, smallFiles: 60 };
/** The whole form is in `soak/`. */
const fewKills = 12;

describe.each((await stockRestics()).slice(-1))('killed at any moment, judged by $version', (restic) => {
  it(`loses nothing that was finished, and the next run needs no unlock: seed ${seed}`, async () => {
    const path = scratchDirectory();
    try {
      const { failures, phases } = await runCrashes({ path, restic, seed, size, kills: fewKills });
      expect(failures).toEqual([]);
      expect(Object.keys(phases).length).toBeGreaterThan(2);
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});
