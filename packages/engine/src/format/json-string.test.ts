import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FilePath, toByteString } from './byte-string.ts';
import { decodeJsonString, encodeJsonString } from './json-string.ts';

describe('encodeJsonString', () => {
  it.each<readonly [FilePath, string]>([
    ['plain', '"plain"'],
    ['<a> & b', '"\\u003ca\\u003e \\u0026 b"'],
    ['\b\f\n\r\t\x00\x1f\x7f', '"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"'],
    ['"\\/', '"\\"\\\\/"'],
    ['\u2028\u2029 ä 🦊', '"\\u2028\\u2029 ä 🦊"'],
    [Buffer.from([0x61, 0xff, 0xc3, 0x62]), '"a\\ufffd\\ufffdb"'],
  ])('writes %j as Go does: %s', (value, json) => {
    expect(encodeJsonString(toByteString(value))).toBe(toByteString(json));
  });

  it('writes what JSON.parse reads, for all text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = Buffer.from(encodeJsonString(toByteString(text)), 'latin1');
        expect(JSON.parse(encoded.toString())).toBe(text.toWellFormed());
      }),
    );
  });

  it('is undone by decodeJsonString', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = toByteString(text);
        const json = encodeJsonString(value);
        expect(decodeJsonString(toByteString(Buffer.from(json.slice(1, -1), 'latin1')))).toBe(value);
      }),
    );
  });
});

describe('decodeJsonString', () => {
  it.each([
    ['\\ud83e\\udd8a', '🦊'],
    ['\\ud83e x', '\ufffd x'],
    ['\\/\\u0041', '/A'],
  ])('reads %s', (json, text) => {
    expect(decodeJsonString(toByteString(json))).toBe(toByteString(text));
  });

  it.each(['\\', '\\x', '\\u12', '\\u00zz'])('refuses %s', (json) => {
    expect(() => decodeJsonString(toByteString(json))).toThrow(
      expect.objectContaining({ code: 'repository-damaged' }),
    );
  });
});
