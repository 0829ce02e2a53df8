import { Temporal } from 'temporal-polyfill';
import { remembered } from './remembered.ts';
import type { CalendarSpan } from './schedule.ts';

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const daysToRemember = 4000;

/** The calendar of one time zone. Days are counted from 1 January 1970, by the zone's own dates. */
export interface TimeZone {
  readonly name: string;
  dayOf(ms: number): number;
  /** Local midnight; where the clocks skip it, the first moment of the day. A day that was skipped starts with the next. */
  startOfDay(day: number): number;
  /**
   * So long after midnight by the wall clock. Of two such moments the first; a time that the clocks skip is as much later
   * as they skip.
   */
  momentOf(day: number, wallMs: number): number;
  /** As `momentOf`, but a time that the clocks skip is the first moment after what they skip. */
  firstMomentFrom(day: number, wallMs: number): number;
  /** Steps of the calendar, at the same time of day; from a day that the target month does not have, to its last. */
  after(ms: number, span: CalendarSpan): number;
}

/** @param name of a zone that `Intl` knows */
export function createTimeZone(name: string): TimeZone {
  const startOfDay = remembered(daysToRemember, (day: number) => {
    return plainDate(day).toZonedDateTime(name).epochMilliseconds;
  });
  const spans = remembered(100, (text: string) => {
    const duration = Temporal.Duration.from(text);
    return remembered(daysToRemember, (ms: number) => zoned(ms, name).add(duration).epochMilliseconds);
  });

  function momentOf(day: number, wallMs: number): number {
    const startMs = startOfDay(day);
    if (startOfDay(day + 1) - startMs === dayMs && wallMs < dayMs) return startMs + wallMs;
    return wallTime(day, wallMs).toZonedDateTime(name).epochMilliseconds;
  }

  return {
    name,
    startOfDay,
    momentOf,
    dayOf(ms) {
      // No zone is as much as a day ahead of UTC.
      let day = Math.floor(ms / dayMs) + 1;
      while (startOfDay(day) > ms) day -= 1;
      return day;
    },
    firstMomentFrom(day, wallMs) {
      const moment = momentOf(day, wallMs);
      const wall = wallTime(day, wallMs);
      if (zoned(moment, name).toPlainDateTime().equals(wall)) return moment;
      const before = wall.toZonedDateTime(name, { disambiguation: 'earlier' });
      return before.getTimeZoneTransition('next')?.epochMilliseconds ?? moment;
    },
    after: (ms, { count, unit }) =>
      unit === 'h' ? ms + count * hourMs : spans(`P${count}${unit.toUpperCase()}`)(ms),
  };
}

/** Any month after January of the year, or before it. @returns the first day of it */
export function firstDayOfMonth(year: number, month: number): number {
  return Date.UTC(year, month, 1) / dayMs;
}

export function yearAndMonthOf(day: number): { year: number; month: number } {
  const date = new Date(day * dayMs);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() };
}

/** 0 is Sunday. */
export function weekdayOf(day: number): number {
  return new Date(day * dayMs).getUTCDay();
}

function plainDate(day: number): Temporal.PlainDate {
  const date = new Date(day * dayMs);
  return new Temporal.PlainDate(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
}

function wallTime(day: number, wallMs: number): Temporal.PlainDateTime {
  return plainDate(day).toPlainDateTime().add({ milliseconds: wallMs });
}

function zoned(ms: number, name: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(name);
}
