import { tableLines } from './table.ts';

/** One fact a line: `name   value`, the names aligned. Facts without a value are left out. */
export function factLines(
  facts: readonly (readonly [name: string, value: string | null])[],
  width: number,
): string[] {
  const rows = facts
    .filter((fact): fact is readonly [string, string] => fact[1] !== null && fact[1] !== '')
    .map(([name, value]) => [
      { text: name, align: 'left' as const },
      { text: value, align: 'left' as const },
    ]);
  return tableLines(rows, width);
}
