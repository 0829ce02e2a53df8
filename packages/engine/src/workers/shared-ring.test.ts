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
            const lentBytes = lent.reduce((sum, { memory: { length } }) => sum + Math.max(length, 1), 0);
            // What is free is before the first one and behind the last one, each too small for this one; or behind the
            // one after which they began anew, too small for the one that did.
            if (memory === undefined)
              expect(2 * (lentBytes + Math.max(each.take, 1))).toBeGreaterThan(sizeBytes);
            else lent.push({ memory: memory.fill((at % 255) + 1), mark: (at % 255) + 1 });
          }
        }
        while (lent.length > 0) check();
        expect(ring.take(sizeBytes)).toHaveLength(sizeBytes);
      }),
    );
  });

  it('keeps their order where nothing is lent between them', () => {
    const ring = new SharedRing(sizeBytes);
    ring.take(500);
    ring.take(100);
    ring.give();
    ring.take(500);
    ring.take(0);
    // All that is free is behind the oldest one, which has to come back first.
    expect(ring.take(300)).toBeUndefined();
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
