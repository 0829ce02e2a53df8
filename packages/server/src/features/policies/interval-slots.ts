import type { CalendarSpan } from './schedule.ts';
import type { Slot, SlotAt } from './slot.ts';
import { firstDayOfMonth, hourMs, type TimeZone, yearAndMonthOf } from './time-zone.ts';

/** Monday, 3 January 2000: what intervals are counted from, so that they do not depend on when a server started. */
const firstDay = 10_959;
const firstYear = 2000;

/**
 * Stretches of a fixed number of units, counted from a fixed date. Days, weeks, months and years begin at local midnight.
 * Hours that divide a day are counted within each local day; others run on, whatever the clocks do.
 */
export function intervalSlots({ count, unit }: CalendarSpan, zone: TimeZone): SlotAt {
  switch (unit) {
    case 'h':
      return 24 % count === 0
        ? (ms) => stretchOfDay(ms, count * hourMs, zone)
        : (ms) => stretchOfHours(ms, count * hourMs, zone);
    case 'd':
      return (ms) => stretchOfDays(ms, count, zone);
    case 'w':
      return (ms) => stretchOfDays(ms, count * 7, zone);
    case 'M':
      return (ms) => stretchOfMonths(ms, count, zone);
    case 'y':
      return (ms) => stretchOfMonths(ms, count * 12, zone);
  }
}

/** Where the clocks changed, the day's last stretch is shorter; one of less than half belongs to the one before. */
function stretchOfDay(ms: number, stretchMs: number, zone: TimeZone): Slot {
  const day = zone.dayOf(ms);
  const [dayStartMs, dayEndMs] = [zone.startOfDay(day), zone.startOfDay(day + 1)];
  const stretches = Math.max(1, Math.floor((dayEndMs - dayStartMs) / stretchMs + 0.5));
  const index = Math.min(Math.floor((ms - dayStartMs) / stretchMs), stretches - 1);
  const startMs = dayStartMs + index * stretchMs;
  return { startMs, endMs: index === stretches - 1 ? dayEndMs : startMs + stretchMs };
}

function stretchOfHours(ms: number, stretchMs: number, zone: TimeZone): Slot {
  const firstMs = zone.startOfDay(firstDay);
  const startMs = firstMs + Math.floor((ms - firstMs) / stretchMs) * stretchMs;
  return { startMs, endMs: startMs + stretchMs };
}

function stretchOfDays(ms: number, days: number, zone: TimeZone): Slot {
  const startDay = firstDay + Math.floor((zone.dayOf(ms) - firstDay) / days) * days;
  return { startMs: zone.startOfDay(startDay), endMs: zone.startOfDay(startDay + days) };
}

function stretchOfMonths(ms: number, months: number, zone: TimeZone): Slot {
  const { year, month } = yearAndMonthOf(zone.dayOf(ms));
  const startMonth = Math.floor(((year - firstYear) * 12 + month) / months) * months;
  return {
    startMs: zone.startOfDay(firstDayOfMonth(firstYear, startMonth)),
    endMs: zone.startOfDay(firstDayOfMonth(firstYear, startMonth + months)),
  };
}
