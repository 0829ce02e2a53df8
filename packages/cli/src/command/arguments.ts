import { retentionSchema } from '@holdfast/protocol';
import { InvalidArgumentError } from 'commander';

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

export function commaSeparated(value: string): readonly string[] {
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('Names are expected, with commas between them.');
  return names;
}

export function positiveInteger(value: string): number {
  const number = /^[0-9]{1,9}$/.test(value) ? Number(value) : 0;
  if (number < 1) throw new InvalidArgumentError('A whole number from 1 on is expected.');
  return number;
}

export function retention(value: string): string {
  const parsed = retentionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('A number with one of h, d, w, M, y is expected, as in 30d or 6M.');
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `30s`, `5m`, `1h` in milliseconds. */
export function durationMs(value: string): number {
  const [, count = '', unit = ''] = /^([0-9]{1,6})([smh])$/.exec(value) ?? [];
  const factor = unitMs[unit];
  if (factor === undefined) throw new InvalidArgumentError('A number with s, m or h is expected, as in 30s.');
  return Number(count) * factor;
}
