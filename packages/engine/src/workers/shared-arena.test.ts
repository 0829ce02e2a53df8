import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedArena } from './shared-arena.ts';

const sizeBytes = 1000;

describe('an arena', () => {
  it('lends each part to one user at a time, and all get theirs', async () => {
    const size = fc.integer({ min: 0, max: sizeBytes });
    const turns = fc.integer({ min: 0, max: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(size, turns)), async (wishes) => {
        const arena = new SharedArena(sizeBytes);
        const users = wishes.map(async ([wanted, count], user) => {
          await arena.use(wanted, async (memory) => {
            expect(memory.length).toBe(wanted);
            const mark = (user % 255) + 1;
            memory.fill(mark);
            for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
            expect(memory.every((byte) => byte === mark)).toBe(true);
          });
        });
        await Promise.all(users);
        // All of it is free again.
        await arena.use(sizeBytes, async () => {});
      }),
    );
  });

  it('takes back what failed work had', async () => {
    const arena = new SharedArena(sizeBytes);
    const failed = arena.use(sizeBytes, () => Promise.reject(new Error('It failed.')));
    await expect(failed).rejects.toThrow('It failed.');
    expect(await arena.use(sizeBytes, async ({ length }) => length)).toBe(sizeBytes);
  });

  it('serves who came first, also when less would fit', async () => {
    const arena = new SharedArena(sizeBytes);
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const uses = [
      arena.use(600, async () => await first.promise),
      arena.use(600, async () => void order.push('much')),
      arena.use(100, async () => void order.push('little')),
    ];
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    first.resolve();
    await Promise.all(uses);
    expect(order).toEqual(['much', 'little']);
  });

  it('lends more than it has too', async () => {
    const arena = new SharedArena(sizeBytes);
    expect(await arena.use(2 * sizeBytes, async ({ length }) => length)).toBe(2 * sizeBytes);
  });
});
