import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvLine, tsvLine } from './delimited.ts';
import { printable } from './printable.ts';
import { tableLines, titledTableLines, wrap } from './table.ts';

const left = (text: string) => ({ text, align: 'left' as const });
const right = (text: string) => ({ text, align: 'right' as const });

it('aligns columns, and leaves no blanks at the end of a line', () => {
  expect(
    tableLines(
      [
        [left('NAME'), right('SIZE'), left('STATE')],
        [left('a'), right('1.0 MiB'), left('')],
        [left('long name'), right('2 B'), left('ready')],
      ],
      Number.POSITIVE_INFINITY,
    ),
  ).toEqual(['NAME          SIZE  STATE', 'a          1.0 MiB', 'long name      2 B  ready']);
});

it('wraps the widest column where the terminal is narrow, and nothing elsewhere', () => {
  const rows = [
    ['id_0123456789abcdef', 'It is a bind mount outside the folder of the project, and nobody chose it.'],
  ];
  const lines = titledTableLines(['id', 'why'], rows, 60);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(lines).toHaveLength(3);
  expect(titledTableLines(['id', 'why'], rows, Number.POSITIVE_INFINITY)).toHaveLength(2);
});

it('keeps words such as ids whole', () => {
  const lines = titledTableLines(['id', 'time'], [['bak_0123456789abcdef', '2026-11-21 03:17']], 34);
  expect(lines).toEqual([
    'ID                    TIME',
    'bak_0123456789abcdef  2026-11-21',
    '                      03:17',
  ]);
});

it('shows control characters instead of sending them to the terminal', () => {
  expect(printable('a\u001b[31mb\u009b\n c\td')).toBe('a\\x1b[31mb\\x9b c d');
  expect(titledTableLines(['n'], [['\u001b]0;x\u0007']], 80)[1]).toBe('\\x1b]0;x\\x07');
});

it('wrapping loses nothing but blanks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,40}$/), { minLength: 1 }),
      fc.integer({ min: 1, max: 30 }),
      (words, width) => {
        const lines = wrap(words.join(' '), width);
        expect(lines.join('').replaceAll(' ', '')).toBe(words.join(''));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      },
    ),
  );
});

it('quotes what has to be quoted', () => {
  expect(csvLine(['a', 'b c', 'd,e', 'f"g', 'h\ni', ' j', ''])).toBe('a,b c,"d,e","f""g","h\ni"," j",');
  expect(tsvLine(['a', 'd,e', 'f\tg', 'h"i'])).toBe('a\td,e\t"f\tg"\t"h""i"');
});

it('a record of comma-separated values reads back as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (fields) => {
      expect(parsedCsv(csvLine(fields))).toEqual(fields);
    }),
  );
});

function parsedCsv(line: string): string[] {
  return [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,"]*))/gs)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
