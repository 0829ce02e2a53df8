import { HoldfastError } from '@holdfast/base';
import type { CliContext } from '../context.ts';
import { csvLine, tsvLine } from './delimited.ts';
import { printable } from './printable.ts';
import { type TableCell, tableLines } from './table.ts';

export const recordFormats = ['table', 'csv', 'tsv', 'plain', 'json'] as const;
export type RecordFormat = (typeof recordFormats)[number];

export type RawValue = string | number | boolean | null | readonly string[];

/** One column that a list can show. */
export interface Column<Item> {
  readonly title: string;
  /** For programs: whole bytes, ISO times, null where nothing is known. */
  readonly raw: (item: Item) => RawValue;
  /** For people; the raw value when left out. */
  readonly text?: (item: Item) => string;
  readonly align?: 'right';
}

export type Columns<Item> = Readonly<Record<string, Column<Item>>>;

export interface RecordList<Item> {
  readonly items: readonly Item[];
  readonly columns: Columns<Item>;
  /** Names of the columns to show where the user did not choose. */
  readonly shown: readonly string[];
  readonly chosen: readonly string[] | undefined;
  readonly format: RecordFormat;
  /** Said on standard error in place of an empty table. */
  readonly emptyNote: string;
}

/**
 * Writes a list to standard output.
 *
 * - `table`: a header and aligned columns, sizes and times for people
 * - `csv`, `tsv`: a header and raw values
 * - `plain`: raw values between tabs, no header, no quotes: one item a line, whatever is in it
 * - `json`: an array of the items as the API has them, or of objects with just the chosen columns
 *
 * @throws HoldfastError `usage-invalid` for a column that there is not
 */
export function writeRecords<Item>(context: CliContext, list: RecordList<Item>): void {
  const columns = (list.chosen ?? list.shown).map((name) => ({ name, ...columnNamed(list.columns, name) }));
  const { output } = context;
  switch (list.format) {
    case 'table': {
      if (list.items.length === 0) {
        context.notes.line(list.emptyNote);
        return;
      }
      const header = columns.map((column) => cell(column.title.toUpperCase(), column));
      const rows = list.items.map((item) => columns.map((column) => cell(humanText(column, item), column)));
      for (const line of tableLines([header, ...rows], output.columns)) output.line(line);
      return;
    }
    case 'csv':
    case 'tsv': {
      const formatLine = list.format === 'csv' ? csvLine : tsvLine;
      output.line(formatLine(columns.map((column) => column.name)));
      for (const item of list.items) {
        output.line(formatLine(columns.map((column) => rawText(column.raw(item)))));
      }
      return;
    }
    case 'plain':
      for (const item of list.items) {
        output.line(columns.map((column) => printable(rawText(column.raw(item)))).join('\t'));
      }
      return;
    case 'json': {
      const objects =
        list.chosen === undefined
          ? list.items
          : list.items.map((item) =>
              Object.fromEntries(columns.map((column) => [column.name, column.raw(item)])),
            );
      output.line(JSON.stringify(objects, undefined, 2));
      return;
    }
  }
}

function columnNamed<Item>(columns: Columns<Item>, name: string): Column<Item> {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (column !== undefined) return column;
  throw new HoldfastError('usage-invalid', `There is no column "${printable(name)}".`, {
    hint: `The columns are: ${Object.keys(columns).join(', ')}.`,
  });
}

function cell<Item>(text: string, column: Column<Item>): TableCell {
  return { text, align: column.align ?? 'left' };
}

function humanText<Item>(column: Column<Item>, item: Item): string {
  return column.text === undefined ? rawText(column.raw(item)) : column.text(item);
}

export function rawText(value: RawValue): string {
  if (value === null) return '';
  return typeof value === 'object' ? value.join(',') : value.toString();
}
