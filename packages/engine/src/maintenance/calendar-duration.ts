import { HoldfastError } from '@holdfast/base';
import { localTimestamp, type Timestamp } from '../format/timestamp.ts';

/** A span of calendar time, as in `1y5m7d2h`: its parts are taken off a date one by one, so months keep their lengths. */
export interface CalendarDuration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const unitNames = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const;

/**
 * restic's form: whole numbers, each with one of y, m, d, h. Where a unit comes twice, the last one counts.
 * @throws HoldfastError `usage-invalid`
 */
export function parseCalendarDuration(text: string): CalendarDuration {
  if (!/^(?:[0-9]{1,6}[ymdh])+$/.test(text)) {
    throw new HoldfastError('usage-invalid', `"${text}" is not a duration.`, {
      hint: 'Give numbers with y, m, d or h after each, as in 1y5m7d2h.',
    });
  }
  const duration = { years: 0, months: 0, days: 0, hours: 0 };
  for (const [, count, unit] of text.matchAll(/([0-9]+)([ymdh])/g)) {
    duration[unitNames[unit as keyof typeof unitNames]] = Number(count);
  }
  return duration;
}

export function formatCalendarDuration({ years, months, days, hours }: CalendarDuration): string {
  const parts = [
    [years, 'y'],
    [months, 'm'],
    [days, 'd'],
    [hours, 'h'],
  ] as const;
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
}

export function isZeroDuration({ years, months, days, hours }: CalendarDuration): boolean {
  return years === 0 && months === 0 && days === 0 && hours === 0;
}

const hourNs = 3_600_000_000_000n;
const millisecondNs = 1_000_000n;

/**
 * The moment so long before `time`, in nanoseconds since the epoch. Dates are those of the time's own offset; where that is
 * this machine's, those of its time zone, with its summer time. A day that a month does not have runs over into the next.
 */
export function momentBefore(time: Timestamp, { years, months, days, hours }: CalendarDuration): bigint {
  const { epochNs, offsetMinutes } = time;
  const epochMs = Number(BigInt.asIntN(64, epochNs / millisecondNs));
  const restNs = epochNs - BigInt(epochMs) * millisecondNs;
  const isLocal = offsetMinutes !== 0 && localTimestamp(epochNs).offsetMinutes === offsetMinutes;
  const date = new Date(isLocal ? epochMs : epochMs + offsetMinutes * 60_000);
  if (isLocal) {
    date.setFullYear(date.getFullYear() - years, date.getMonth() - months, date.getDate() - days);
  } else {
    date.setUTCFullYear(date.getUTCFullYear() - years, date.getUTCMonth() - months, date.getUTCDate() - days);
  }
  const movedMs = isLocal ? date.getTime() : date.getTime() - offsetMinutes * 60_000;
  return BigInt(movedMs) * millisecondNs + restNs - BigInt(hours) * hourNs;
}
