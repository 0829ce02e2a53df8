import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { scratchDirectory } from '../scratch-directory.ts';
import { SeededRandom } from '../seeded-random.ts';
import { corruptions } from './corruption.ts';
import { proveCorruption } from './corruption-run.ts';
import { CorruptionSite } from './corruption-site.ts';

const seed = Number(process.env.HOLDFAST_TEST_SEED ?? 2026);
const path = scratchDirectory();
let site: CorruptionSite;

beforeAll(async () => {
  site = await CorruptionSite.make(path, seed);
});

afterAll(() => rmSync(path, { recursive: true }));

describe(`damage is found, named, and never restored as good data; prune refuses: seed ${seed}`, () => {
  it.each(corruptions)('a $kind: $damage', async (corruption) => {
    await proveCorruption(site, corruption, new SeededRandom(seed));
  });
});
