import { printable } from './printable.ts';

/** Words up to this length stay whole: ids and times do, long paths need not. */
const longestWhole = 40;
const gap = '  ';

export interface TableCell {
  readonly text: string;
  readonly align: 'left' | 'right';
}

/**
 * Aligned columns, without a blank at any line's end. Where `width` is too little, the widest columns are wrapped.
 * Each row has as many cells as the first.
 */
export function tableLines(rows: readonly (readonly TableCell[])[], width: number): string[] {
  const clean = rows.map((row) => row.map((cell) => ({ ...cell, text: printable(cell.text) })));
  const widths = fittingWidths(clean, width);
  return clean.flatMap((row) => rowLines(row, widths));
}

/** As wide as the cells, else less of the widest columns, but never less than their longest word. */
function fittingWidths(rows: readonly (readonly TableCell[])[], width: number): number[] {
  const widths = columnWidths(rows, (text) => lengthOf(text));
  const narrowest = columnWidths(rows, (text) =>
    Math.min(longestWhole, Math.max(...text.split(' ').map(lengthOf))),
  );
  let excess = widths.reduce((sum, each) => sum + each, 0) + gap.length * (widths.length - 1) - width;
  while (excess > 0) {
    const spare = widths.map((each, column) => (each > (narrowest[column] ?? 0) ? each : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    widths[spare.lastIndexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}

function columnWidths(rows: readonly (readonly TableCell[])[], widthOf: (text: string) => number): number[] {
  const first = rows[0] ?? [];
  return first.map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[column]?.text ?? '')), 0),
  );
}

function rowLines(row: readonly TableCell[], widths: readonly number[]): string[] {
  const wrapped = row.map((cell, column) => wrap(cell.text, widths[column] ?? 0));
  const height = Math.max(1, ...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    row
      .map((cell, column) => pad(wrapped[column]?.[line] ?? '', widths[column] ?? 0, cell.align))
      .join(gap)
      .trimEnd(),
  );
}

/** Breaks at blanks, and inside a word only if it is longer than a line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (lengthOf(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    const characters = [...word];
    while (characters.length > width && width > 0) lines.push(characters.splice(0, width).join(''));
    line = characters.join('');
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

function pad(text: string, width: number, align: TableCell['align']): string {
  const blanks = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

function lengthOf(text: string): number {
  return [...text].length;
}

/** A table of plain texts below a header. */
export function titledTableLines(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const cells = (texts: readonly string[]) => texts.map((text) => ({ text, align: 'left' as const }));
  return tableLines([cells(titles.map((title) => title.toUpperCase())), ...rows.map(cells)], width);
}
