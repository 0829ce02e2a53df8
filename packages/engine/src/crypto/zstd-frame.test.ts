import { describe, expect, it } from 'vitest';
import { compress } from './compression.ts';
import { frameContentBytes } from './zstd-frame.ts';

describe('frameContentBytes', () => {
  it.each([20, 255, 256, 257, 65_791, 65_792, 1_000_000])('of %i bytes', (length) => {
    const frame = compress(Buffer.from(Array.from({ length }, (_, at) => (at * at) & 255)));
    expect(frameContentBytes(frame)).toBe(length);
  });

  it('is not known of a frame that does not tell, of a short one, and of anything else', () => {
    // Made by `zstd -c` from a pipe: it does not know the length beforehand.
    const piped = Buffer.from('28b52ffd0458a100004120736d616c6c20736d616c6c0a', 'hex');
    expect(frameContentBytes(piped)).toBeUndefined();
    expect(frameContentBytes(piped.subarray(0, 6))).toBeUndefined();
    expect(frameContentBytes(Buffer.alloc(40))).toBeUndefined();
    expect(frameContentBytes(Buffer.alloc(0))).toBeUndefined();
  });
});
