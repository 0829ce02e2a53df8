import { cronSlots } from './cron-slots.ts';
import { intervalSlots } from './interval-slots.ts';
import { remembered } from './remembered.ts';
import type { Schedule, Timing } from './schedule.ts';
import type { SlotAt } from './slot.ts';
import { createTimeZone, type TimeZone } from './time-zone.ts';
import { weeklySlots } from './weekly-slots.ts';

const rowsToRemember = 200;
const momentsToRemember = 5000;

type Row = Pick<Schedule, 'timing' | 'timezone'>;

/** The slots of schedules, and time zones. What was found out is remembered: one of these serves a whole server. */
export interface SlotCalendar {
  /** @throws what croner or Temporal throw at a cron string or a time zone that was not checked before */
  slotsOf(schedule: Row): SlotAt;
  zone(name: string): TimeZone;
}

export function createSlotCalendar(): SlotCalendar {
  const zone = remembered(rowsToRemember, createTimeZone);
  const rows = remembered(rowsToRemember, (row: string) => {
    const { timing, timezone } = JSON.parse(row) as Row;
    return remembered(momentsToRemember, slotsOf(timing, zone(timezone)));
  });
  return { zone, slotsOf: ({ timing, timezone }) => rows(JSON.stringify({ timing, timezone })) };
}

function slotsOf(timing: Timing, zone: TimeZone): SlotAt {
  switch (timing.kind) {
    case 'interval':
      return intervalSlots(timing.every, zone);
    case 'weekly':
      return weeklySlots(timing, zone);
    case 'cron':
      return cronSlots(timing.cron, zone.name);
  }
}
