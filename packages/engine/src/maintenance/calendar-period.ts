import type { Timestamp } from '../format/timestamp.ts';

export const calendarUnits = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type CalendarUnit = (typeof calendarUnits)[number];

const dayMs = 86_400_000;

/** A number that moments of the same hour, day, ISO week, month or year share, by the offset that the time came with. */
export function periodOf({ epochNs, offsetMinutes }: Timestamp, unit: CalendarUnit): number {
  const epochMs = Number((epochNs - modulo(epochNs, 1_000_000n)) / 1_000_000n);
  const date = new Date(epochMs + offsetMinutes * 60_000);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  switch (unit) {
    case 'hourly':
      return ((year * 100 + month) * 100 + date.getUTCDate()) * 100 + date.getUTCHours();
    case 'daily':
      return (year * 100 + month) * 100 + date.getUTCDate();
    case 'weekly':
      return isoWeekOf(date);
    case 'monthly':
      return year * 100 + month;
    case 'yearly':
      return year;
  }
}

/** A week belongs to the year of its Thursday. */
function isoWeekOf(date: Date): number {
  const daysSinceMonday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(date.getTime() + (3 - daysSinceMonday) * dayMs);
  const year = thursday.getUTCFullYear();
  const dayOfYear = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / dayMs);
  return year * 100 + Math.floor(dayOfYear / 7) + 1;
}

function modulo(value: bigint, divisor: bigint): bigint {
  return ((value % divisor) + divisor) % divisor;
}
