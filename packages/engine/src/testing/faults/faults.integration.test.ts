import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CorruptionSite } from '../corruption/corruption-site.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { SeededRandom } from '../seeded-random.ts';
import { describeFault, planFaults, proveFault } from './fault-run.ts';
import { faultVerbs } from './fault-verbs.ts';

const seed = Number(process.env.HOLDFAST_TEST_SEED ?? 2026);
const fewFaults = 3;
const path = scratchDirectory();
let site: CorruptionSite;

beforeAll(async () => {
  site = await CorruptionSite.make(path, seed);
});

afterAll(() => rmSync(path, { recursive: true }));

describe(`calls of the backend that fail, are slow, or read other bytes: seed ${seed}`, () => {
  it.each(faultVerbs)('$name ends well or with a coded error, and damages nothing', async (verb) => {
    const planned = await planFaults(site, { verbs: [verb], mostCalls: 3 });
    for (const fault of new SeededRandom(seed).shuffle(planned).slice(0, fewFaults)) {
      await expect(proveFault(site, fault), describeFault(fault)).resolves.toBeUndefined();
    }
  });
});
