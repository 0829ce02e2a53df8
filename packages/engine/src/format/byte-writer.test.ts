import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToByteString } from './byte-string.ts';
import { ByteWriter } from './byte-writer.ts';

describe('ByteWriter', () => {
  it('writes texts, numbers and bytes one after another', () => {
    const text = fc.uint8Array({ maxLength: 100 }).map(bytesToByteString);
    const step = fc.oneof(
      text.map((value) => ({ write: (into: ByteWriter) => into.text(value), is: value })),
      fc.maxSafeNat().map((value) => ({ write: (into: ByteWriter) => into.decimal(value), is: `${value}` })),
      fc.nat(999).map((value) => ({
        write: (into: ByteWriter) => into.decimal(value, 3),
        is: `${value}`.padStart(3, '0'),
      })),
      fc.uint8Array({ minLength: 4, maxLength: 2000 }).map((bytes) => ({
        write: (into: ByteWriter) => into.bytes(bytes, 1, bytes.length - 1),
        is: bytesToByteString(bytes.subarray(1, -1)),
      })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(3), (steps, repeats) => {
        const into = new ByteWriter();
        into.text('forgotten');
        into.clear();
        for (let time = 0; time <= repeats; time += 1) for (const { write } of steps) write(into);
        const expected = steps
          .map(({ is }) => is)
          .join('')
          .repeat(repeats + 1);
        expect(bytesToByteString(into.written)).toBe(expected);
        expect(into.length).toBe(expected.length);
        expect(bytesToByteString(into.take())).toBe(expected);
        into.text('more');
        expect(into.written.toString()).toBe('more');
      }),
    );
  });

  it('grows to any length', () => {
    const into = new ByteWriter();
    for (let number = 0; number < 500_000; number += 1) into.decimal(number, 7);
    into.bytes(Buffer.alloc(3 << 20, 'x'), 0, 3 << 20);
    into.text('end');
    const { written } = into;
    expect(written.length).toBe(into.length);
    expect(written.toString('latin1', 7 * 123_456, 7 * 123_457)).toBe('0123456');
    expect(written.toString('latin1', 7 * 500_000 - 7, 7 * 500_000 + 3)).toBe('0499999xxx');
    expect(written.toString('latin1', written.length - 4)).toBe('xend');
  });
});
