import { describe, expect, it } from 'vitest';
import { SlabPool, slabBytes } from '../pack/slab-pool.ts';
import { SpareSharedMemory } from './spare-memory.ts';

describe('memory that threads share', () => {
  it('is never thrown away: there is no more than was in use at a time', () => {
    const memory = new SpareSharedMemory();
    const seen = new Set<ArrayBufferLike>();
    for (let round = 0; round < 200; round += 1) {
      const taken = [5, 3, 8, 2, 7].map((mebibytes) => memory.take(mebibytes * 1024 * 1024 + round * 1000));
      for (const { buffer } of taken) seen.add(buffer);
      for (const one of taken) memory.give(one);
    }
    expect([...seen].reduce((total, { byteLength }) => total + byteLength, 0)).toBeLessThan(64 * 1024 * 1024);
  });

  it('nor are the slabs of packs', () => {
    const pool = new SlabPool();
    const seen = new Set<ArrayBufferLike>();
    for (let round = 0; round < 20; round += 1) {
      const slabs = Array.from({ length: 100 }, () => pool.take());
      for (const { buffer } of slabs) seen.add(buffer);
      pool.give(slabs);
    }
    expect(seen.size).toBe(100);
    expect([...seen].every(({ byteLength }) => byteLength === slabBytes)).toBe(true);
  });
});
