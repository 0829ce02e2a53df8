import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToByteString, type FilePath, toByteString } from './byte-string.ts';
import { quoteName, unquoteName } from './quoted-name.ts';

/** As restic 0.18 wrote them. */
const examples: readonly (readonly [FilePath, string])[] = [
  ['plain', 'plain'],
  ['two\nlines\ttab', 'two\\nlines\\ttab'],
  ['"quotes" and \\', '\\"quotes\\" and \\\\'],
  ['\x07\b\v\f\r\x01\x1f\x7f', '\\a\\b\\v\\f\\r\\x01\\x1f\\x7f'],
  ["it's", "it's"],
  ['größe', 'größe'],
  ['名前', '名前'],
  ['🦊', '🦊'],
  ['\u200b\u2028\u00a0\u00ad', '\\u200b\\u2028\\u00a0\\u00ad'],
  ['\u{e0001}', '\\U000e0001'],
  ['\ufffd', '\ufffd'],
  // Printable since Unicode 15.1 and 16: restic 0.18 knows Unicode 15.0.
  ['\u2ffc\u{10d40}', '\\u2ffc\\U00010d40'],
  [Buffer.from([0xff, 0xfe, 0x2e, 0x80]), '\\xff\\xfe.\\x80'],
  [Buffer.from([0xed, 0xa0, 0x80]), '\\xed\\xa0\\x80'],
];

describe('quoteName', () => {
  it.each(examples)('quotes %j as %s', (name, quoted) => {
    expect(quoteName(toByteString(name))).toBe(toByteString(quoted));
  });

  it('is undone by unquoteName, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' })), (bytes) => {
        const name = toByteString(bytes);
        expect(unquoteName(quoteName(name))).toBe(name);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('unquoteName', () => {
  it.each([
    ['\\101\\012', 'A\n'],
    ['\\u00e9', 'é'],
    ['\\U0001F98A', '🦊'],
  ])('reads %s, which Go may write too', (quoted, name) => {
    expect(unquoteName(toByteString(quoted))).toBe(toByteString(name));
  });

  it.each(['\\', '\\q', '\\x1', '\\u12', '\\ud800', '\\U00110000', '\\400', 'end\\'])(
    'refuses %s',
    (quoted) => {
      expect(() => unquoteName(toByteString(quoted))).toThrow(
        expect.objectContaining({ code: 'repository-damaged' }),
      );
    },
  );

  it('answers garbage with a coded error or a name', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\\', 'x', 'u', 'U', '0', '4', 'f', '"', 'n') }),
        (text) => {
          expectCoded(() => unquoteName(bytesToByteString(Buffer.from(text))));
        },
      ),
    );
  });
});

function expectCoded(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toMatchObject({ code: 'repository-damaged' });
  }
}
