import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judge, runConsistency } from '../soak/capture/consistency.ts';
import { subjectKinds } from '../soak/capture/subject-kinds.ts';

/** The short form of `npm run soak -- capture`: one round for each kind of app. */

const seed = Number(process.env.HOLDFAST_TEST_SEED ?? 2026);

describe('the judge of a restore', () => {
  const stoodStill = { frozenAtMs: 1000, thawedMs: 2000 };
  const commits = [
    { id: 1, startedMs: 980, endedMs: 990 },
    { id: 2, startedMs: 990, endedMs: 2010 },
    { id: 3, startedMs: 2020, endedMs: 2030 },
  ];
  const rows = (...ids: number[]) => commits.filter(({ id }) => ids.includes(id));

  it('wants what was complete before, nothing of what began after, and leaves open what was under way', () => {
    const problemsOf = (...ids: number[]) =>
      judge(stoodStill, commits, { rows: rows(...ids), problems: [] }).problems;
    expect(problemsOf(1)).toEqual([]);
    expect(problemsOf(1, 2)).toEqual([]);
    expect(problemsOf(2)).toEqual(['1 commits are missing: 1']);
    expect(problemsOf(1, 3)).toEqual(['1 commits are of after the freeze: 3']);
  });

  it('takes over what the app finds wrong, and is not content with nothing', () => {
    const found = { rows: [], problems: ['torn'] };
    expect(judge(stoodStill, [], found).problems).toEqual([
      'torn',
      'nothing was committed before the freeze: it proves nothing',
    ]);
  });
});

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
