import { repositoryIdSchema } from '@holdfast/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dueCare } from './due.ts';
import type { RepositoryCare } from './store.ts';

const hourMs = 3_600_000;
const madeAtMs = 1_700_000_000_000;

function careOf(change: Partial<RepositoryCare> = {}, id = 'rep_0000000000000001'): RepositoryCare {
  return {
    repositoryId: repositoryIdSchema.parse(id),
    initializedAtMs: madeAtMs,
    inspectedAtMs: null,
    prunedAtMs: null,
    pruneWantedAtMs: null,
    ...change,
  };
}

const anyId = fc.stringMatching(/^[0-9a-z]{16}$/).map((text) => `rep_${text}`);

test('a repository is inspected a day after it was made, or was last inspected, or up to two hours later', () => {
  fc.assert(
    fc.property(anyId, fc.boolean(), (id, wasInspected) => {
      const lastMs = wasInspected ? madeAtMs + 77 * hourMs : madeAtMs;
      const care = careOf({ inspectedAtMs: wasInspected ? lastMs : null }, id);
      expect(dueCare(care, lastMs + 24 * hourMs - 1)).toEqual([]);
      expect(dueCare(care, lastMs + 26 * hourMs)).toEqual(['inspect']);
    }),
  );
});

test('once it is due it stays due; and when that is depends on nothing but the repository', () => {
  fc.assert(
    fc.property(anyId, fc.nat(2 * hourMs), fc.nat(99 * hourMs), (id, afterMs, laterMs) => {
      const atMs = madeAtMs + 24 * hourMs + afterMs;
      const due = dueCare(careOf({}, id), atMs);
      expect(dueCare(careOf({}, id), atMs)).toEqual(due);
      if (due.length > 0) expect(dueCare(careOf({}, id), atMs + laterMs)).toEqual(due);
    }),
  );
});

test('repositories that were made at once are not inspected at once', () => {
  const atMs = madeAtMs + 25 * hourMs;
  const due = Array.from({ length: 64 }, (_, index) =>
    dueCare(careOf({}, `rep_${String(index).padStart(16, '0')}`), atMs),
  ).filter((kinds) => kinds.length > 0);
  expect(due.length).toBeGreaterThan(16);
  expect(due.length).toBeLessThan(48);
});

test('a prune waits until a day after the last one, and is not made where none is wanted', () => {
  const inspectedAtMs = madeAtMs;
  const now = madeAtMs + 10 * hourMs;
  expect(dueCare(careOf({ inspectedAtMs }), now)).toEqual([]);
  expect(dueCare(careOf({ inspectedAtMs, pruneWantedAtMs: now }), now)).toEqual(['prune']);
  const wanted = careOf({ inspectedAtMs, pruneWantedAtMs: now, prunedAtMs: madeAtMs });
  expect(dueCare(wanted, madeAtMs + 24 * hourMs - 1)).toEqual([]);
  expect(dueCare(wanted, madeAtMs + 24 * hourMs)).toEqual(['prune']);
});
