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

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `5m`, `1h`, `7d` in milliseconds. */
export function durationMs(value: string): number {
  const [, count = '', unit = ''] = /^([0-9]{1,6})([smhd])$/.exec(value) ?? [];
  const factor = unitMs[unit];
  if (factor === undefined)
    throw new InvalidArgumentError('A number with s, m, h or d is expected, as in 30s.');
  return Number(count) * factor;
}

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/** `500`, `10K`, `3m`, `1.5G`, `2T`: binary units, as restic has them. */
export function sizeBytes(value: string): number {
  const [, count = '', unit = ''] = /^([0-9]{1,15}(?:\.[0-9]+)?)([bkmgt]?)$/i.exec(value) ?? [];
  const factor = byteUnits[unit.toLowerCase()];
  if (count === '' || factor === undefined) {
    throw new InvalidArgumentError('A size is expected, as in 500K, 10M or 2G.');
  }
  return Math.floor(Number(count) * factor);
}

/** `2012-11-01 22:08:41`, local time, in milliseconds since the epoch. */
export function localTime(value: string): number {
  const isTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?$/.test(value);
  const timeMs = isTime
    ? Date.parse(value.length === 10 ? `${value}T00:00` : value.replace(' ', 'T'))
    : Number.NaN;
  if (Number.isNaN(timeMs)) {
    throw new InvalidArgumentError('A time is expected, as in "2012-11-01 22:08:41".');
  }
  return timeMs;
}
