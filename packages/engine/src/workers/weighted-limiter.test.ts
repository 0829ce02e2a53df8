import { setImmediate } from 'node:timers/promises';
import { HoldfastError, TaskGroup } from '@holdfast/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WeightedLimiter } from './weighted-limiter.ts';

describe('WeightedLimiter', () => {
  it('never lets in more than its limit, and everybody in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 30 }), async (weights) => {
        const limiter = new WeightedLimiter(10);
        const inside: number[] = [];
        const sum = (): number => inside.reduce((total, weight) => total + weight, 0);
        await Promise.all(
          weights.map(async (weight) => {
            await limiter.acquire(weight);
            inside.push(weight);
            expect(inside.length === 1 || sum() <= 10).toBe(true);
            await setImmediate();
            inside.splice(inside.indexOf(weight), 1);
            limiter.release(weight);
          }),
        );
        await limiter.acquire(10);
      }),
    );
  });

  it('serves in order, also when something light could go first', async () => {
    const limiter = new WeightedLimiter(10);
    const order: string[] = [];
    await limiter.acquire(6);
    const heavy = limiter.acquire(8).then(() => order.push('heavy'));
    const light = limiter.acquire(1).then(() => order.push('light'));
    await setImmediate();
    expect(order).toEqual([]);
    limiter.release(6);
    await Promise.all([heavy, light]);
    expect(order).toEqual(['heavy', 'light']);
  });

  it('lets go of who gives up waiting', async () => {
    const limiter = new WeightedLimiter(1);
    await limiter.acquire(1);
    const controller = new AbortController();
    const waiting = limiter.acquire(1, controller);
    const behind = limiter.acquire(1);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
    limiter.release(1);
    await behind;
  });
});

describe('TaskGroup', () => {
  it('aborts the others with the first failure, and waits for them', async () => {
    const group = new TaskGroup();
    const failure = new HoldfastError('storage-full', 'full');
    let ended = false;
    const slow = (async () => {
      await setImmediate();
      await setImmediate();
      ended = true;
    })();
    void group.start(slow);
    await expect(group.start(Promise.reject(failure))).rejects.toBe(failure);
    expect(group.signal.reason).toBe(failure);
    await group.settled();
    expect(ended).toBe(true);
  });

  it('takes over the abort of who started it', () => {
    const controller = new AbortController();
    const group = new TaskGroup(controller);
    controller.abort('why');
    expect(group.signal.reason).toBe('why');
  });
});
