import { formatBytes, formatMinute, formatTime } from './quantities.ts';
import type { Column } from './records.ts';

/** A point in time: local, to the minute for people, with its offset for programs. `none` is what people read where there is none. */
export function timeColumn<Item>(
  title: string,
  timeMs: (item: Item) => number | null,
  none = '-',
): Column<Item> {
  const raw = (item: Item) => {
    const value = timeMs(item);
    return value === null ? null : formatTime(value);
  };
  const text = (item: Item) => {
    const value = timeMs(item);
    return value === null ? none : formatMinute(value);
  };
  return { title, raw, text };
}

/** A number of bytes: whole bytes for programs, binary units for people. */
export function sizeColumn<Item>(title: string, bytes: (item: Item) => number | null): Column<Item> {
  return {
    title,
    align: 'right',
    raw: bytes,
    text: (item) => {
      const value = bytes(item);
      return value === null ? '-' : formatBytes(value);
    },
  };
}

/** Several names in one cell. */
export function namesColumn<Item>(title: string, names: (item: Item) => readonly string[]): Column<Item> {
  return { title, raw: names, text: (item) => names(item).join(', ') };
}
