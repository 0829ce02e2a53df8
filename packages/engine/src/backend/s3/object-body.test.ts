import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { testBytes } from '../../testing/test-bytes.ts';
import { bodyOf, rangeOf, readBody, sliceParts } from './object-body.ts';

const parts = [testBytes('a', 10), Buffer.of(), testBytes('b', 50_000), testBytes('c', 3)];
const whole = Buffer.concat(parts);

describe('bodies of objects', () => {
  it('are the parts in a row, as often as they are asked for', async () => {
    for (let attempt = 0; attempt < 2; attempt += 1) expect(await buffer(bodyOf(parts, {}))).toEqual(whole);
    const counts: number[] = [];
    await buffer(bodyOf(parts, { pace: async (bytes) => void counts.push(bytes) }));
    expect(counts.length).toBeGreaterThan(3);
    expect(counts.reduce((total, count) => total + count)).toBe(whole.length);
  });

  it('are sliced across parts', () => {
    for (const [offset, length] of [
      [0, 5],
      [5, 20],
      [9, 50_003],
      [10, 50_000],
      [50_012, 100],
      [0, 100_000],
    ] as const) {
      expect(Buffer.concat(sliceParts(parts, { offset, length }))).toEqual(
        whole.subarray(offset, offset + length),
      );
    }
  });

  it('are read whole, or it is an error that may pass', async () => {
    const body = (): Readable => Readable.from([whole.subarray(0, 7), whole.subarray(7)]);
    const options = {};
    expect(await readBody({ Body: body(), ContentLength: whole.length }, options)).toEqual(whole);
    expect(await readBody({ Body: body() }, options)).toEqual(whole);
    const passing = { code: 'storage-unreachable', retry: true };
    for (const length of [whole.length + 1, whole.length - 1]) {
      const reading = readBody({ Body: body(), ContentLength: length }, options);
      await expect(reading).rejects.toMatchObject(passing);
    }
    await expect(readBody({}, options)).rejects.toMatchObject(passing);
    const huge = readBody({ Body: body(), ContentLength: 2 ** 40 }, options);
    await expect(huge).rejects.toMatchObject({ code: 'repository-damaged' });
  });

  it('of a range may be short only at the end of the object', () => {
    const bytes = Buffer.alloc(10);
    expect(rangeOf(bytes, { offset: 5, length: 10 }, 'bytes 5-14/100')).toBe(bytes);
    expect(rangeOf(bytes, { offset: 90, length: 20 }, 'bytes 90-99/100')).toBe(bytes);
    expect(rangeOf(whole, { offset: 5, length: 10 }, undefined)).toEqual(whole.subarray(5, 15));
    for (const answered of ['bytes 5-14/200', 'bytes 89-98/100', 'bytes 90-99/*', 'nonsense']) {
      expect(() => rangeOf(bytes, { offset: 90, length: 20 }, answered)).toThrow(
        expect.objectContaining({ retry: true }),
      );
    }
  });
});
