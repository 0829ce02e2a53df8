import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedRing } from './shared-ring.ts';

const sizeBytes = 1000;

describe('a ring', () => {
  it('lends each part to one user at a time, and lends again what came back', () => {
    const turn = fc.oneof(
      fc.record({ take: fc.integer({ min: 0, max: sizeBytes }) }),
      fc.record({ take: fc.integer({ min: 0, max: 100 }) }),
      fc.constant('give' as const),
    );
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 200 }), (turns) => {
        const ring = new SharedRing(sizeBytes);
        const lent: { readonly memory: Buffer; readonly mark: number }[] = [];
        const check = (): void => {
          const first = lent.shift();
          if (first === undefined) return;
          expect(first.memory.every((byte) => byte === first.mark)).toBe(true);
          ring.give();
        };
        for (const [at, each] of turns.entries()) {
          if (each === 'give') check();
          else {
            const memory = ring.take(each.take);
            const lentBytes = lent.reduce((sum, { memory: { length } }) => sum + length, 0);
            // At most the rest behind the last one and the gap before the first one are too small at a time.
            if (memory === undefined) expect(lentBytes + 2 * each.take).toBeGreaterThan(sizeBytes);
            else lent.push({ memory: memory.fill((at % 255) + 1), mark: (at % 255) + 1 });
          }
        }
        while (lent.length > 0) check();
        expect(ring.take(sizeBytes)).toHaveLength(sizeBytes);
      }),
    );
  });

  it('lends what is larger than itself alone', () => {
    const ring = new SharedRing(sizeBytes);
    ring.take(1);
    expect(ring.take(5000)).toBeUndefined();
    ring.give();
    expect(ring.take(5000)).toHaveLength(5000);
    expect(ring.take(1)).toBeUndefined();
    ring.give();
    expect(ring.take(1)).toHaveLength(1);
  });
});
