import { describe, expect, it } from 'vitest';
import { sha256 } from '../crypto/hash.ts';
import { selectPacks } from './pack-subset.ts';

const packs = Array.from({ length: 100 }, (_, n) => ({ id: sha256(Buffer.from(`${n}`)), sizeBytes: 1000 }));
const idsOf = (chosen: readonly { readonly id: string }[]) => new Set(chosen.map(({ id }) => id));

describe('a subset of packs', () => {
  it('by parts: each pack is in one of them, always the same', () => {
    for (const parts of [1, 2, 7, 256]) {
      const all = Array.from({ length: parts }, (_, n) => selectPacks(packs, { part: n + 1, parts })).flat();
      expect(all).toHaveLength(packs.length);
      expect(idsOf(all)).toEqual(idsOf(packs));
    }
    // As restic: the first byte of the id modulo the number of parts.
    const pack = { id: '0b'.repeat(32), sizeBytes: 1 };
    expect(selectPacks([pack], { part: 12, parts: 100 })).toEqual([pack]);
    expect(selectPacks([pack], { part: 11, parts: 100 })).toEqual([]);
  });

  it('by share: so many of them, by chance, one at least', () => {
    expect(idsOf(selectPacks(packs, { percent: 25 })).size).toBe(25);
    expect(selectPacks(packs, { percent: 0.1 })).toHaveLength(1);
    expect(idsOf(selectPacks(packs, { percent: 100 }))).toEqual(idsOf(packs));
    expect(selectPacks([], { percent: 50 })).toEqual([]);
    expect(idsOf(selectPacks(packs, { sizeBytes: 30_000 })).size).toBe(30);
    expect(selectPacks(packs, { sizeBytes: 1_000_000 })).toHaveLength(100);
    const twice = [selectPacks(packs, { percent: 30 }), selectPacks(packs, { percent: 30 })];
    expect(idsOf(twice[0] ?? [])).not.toEqual(idsOf(twice[1] ?? []));
  });
});
