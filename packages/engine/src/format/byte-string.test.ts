import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteStringToBytes,
  byteStringToText,
  bytesToByteString,
  isUtf8,
  toByteString,
  utf8Characters,
} from './byte-string.ts';

describe('ByteString', () => {
  it('keeps every byte', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(byteStringToBytes(bytesToByteString(bytes))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('takes strings as UTF-8 and bytes as they are', () => {
    expect(toByteString('ä')).toBe('\xc3\xa4');
    expect(toByteString(Buffer.from([0xe4]))).toBe('\xe4');
    expect(toByteString('plain')).toBe('plain');
  });

  it('sorts by bytes, and not by code units', () => {
    const [high, astral] = [toByteString('\uff5e'), toByteString('🦊')];
    expect(high < astral).toBe(true);
    expect('\uff5e' < '🦊').toBe(false);
  });

  it.each([
    ['plain text', 'plain text'],
    ['größe 🦊', 'größe 🦊'],
    ['a\nb\x1b[31m\\', 'a\\nb\\x1b[31m\\\\'],
    [Buffer.from([0xff, 0x61, 0xc3]), '\\xffa\\xc3'],
  ])('shows %j as %s', (bytes, text) => {
    expect(byteStringToText(toByteString(bytes))).toBe(text);
  });

  it('tells UTF-8 from other bytes as a strict decoder does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), (bytes) => {
        const value = bytesToByteString(bytes);
        expect(isUtf8(value)).toBe(isDecodable(bytes));
        expect([...utf8Characters(value)].join('')).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });
});

function isDecodable(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
