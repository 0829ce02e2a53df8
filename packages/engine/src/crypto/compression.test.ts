import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compress, decompress } from './compression.ts';

describe('zstd', () => {
  it('gives back what was compressed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        expect(decompress(compress(bytes), bytes.length)).toEqual(Buffer.from(bytes));
      }),
    );
    const large = Buffer.concat([randomBytes(1_000_000), Buffer.alloc(30_000_000)]);
    expect(decompress(compress(large), large.length)?.equals(large)).toBe(true);
  });

  it('stops where the contents are longer than they may be', () => {
    const bomb = compress(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(10_000);
    expect(decompress(bomb, 1_000)).toBeUndefined();
    expect(decompress(bomb, 49_999_999)).toBeUndefined();
  });

  it('refuses garbage and what is cut off', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => decompress(bytes, 1_000) === undefined),
    );
    const frame = compress(Buffer.from('a sentence that is cut off before its end'));
    for (let length = 0; length < frame.length; length += 1) {
      expect(decompress(frame.subarray(0, length), 1_000)).toBeUndefined();
    }
  });
});
