import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runConsistency } from '../soak/capture/consistency.ts';
import { subjectKinds } from '../soak/capture/subject-kinds.ts';

/** The short form of `npm run soak -- capture`: one round for each kind of app. */

const seed = Number(process.env.HOLDFAST_TEST_SEED ?? 2026);

describe(`a consistent backup of an app that writes, seed ${seed}`, () => {
  it.each(subjectKinds)('$name: restores to one moment, with all that was committed before', async (kind) => {
    const path = mkdtempSync(join(tmpdir(), 'holdfast-consistency-'));
    try {
      const result = await runConsistency(kind, { rounds: 1, seed, path, say: () => {} });
      expect(result.failed).toEqual([]);
      expect(result.required).toBeGreaterThan(0);
    } finally {
      rmSync(path, { recursive: true, force: true });
    }
  });
});
