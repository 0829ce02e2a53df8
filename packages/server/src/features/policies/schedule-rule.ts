import { isCounted } from './good-backups.ts';
import type { Schedule } from './schedule.ts';
import type { SlotAt } from './slot.ts';
import type { SlotCalendar } from './slot-calendar.ts';
import type { End, RetainedBackup } from './verdict.ts';

/** What one schedule says of automated backups. */
export interface ScheduleRule {
  readonly schedule: Schedule;
  /** Until when the schedule keeps a good one; null where it does not keep it. */
  endOf(place: number): End | null;
  /** Until when it keeps one that is damaged or doubtful, for the time that newer good ones need to make up for it; null for no longer. */
  endUntilMadeUpFor(place: number): End | null;
}

export interface RetainedRow {
  /** In the order in which they were made, whatever their times say. */
  readonly backups: readonly RetainedBackup[];
  readonly schedules: readonly Schedule[];
  readonly nowMs: number;
  readonly calendar: SlotCalendar;
}

export function scheduleRule(schedule: Schedule, row: RetainedRow): ScheduleRule {
  switch (schedule.keep.kind) {
    case 'count':
      return countRule(schedule, schedule.keep.count, row);
    case 'for':
    case 'forever':
      return timeRule(schedule, row);
  }
}

interface SlotGroup {
  /** Places in the order made. */
  readonly first: number;
  newest: number;
}

function countRule(schedule: Schedule, count: number, { backups, calendar }: RetainedRow): ScheduleRule {
  const newestFirst = slotGroups(backups, calendar.slotsOf(schedule)).sort((a, b) => b.newest - a.newest);
  const groupPlaces = new Map(newestFirst.map(({ first }, groupPlace) => [first, groupPlace]));
  const endAfter = (groupPlace: number): End | null =>
    groupPlace < count
      ? { kind: 'replaced', afterNext: count - groupPlace, by: { kind: 'schedule', schedule: schedule.id } }
      : null;
  return {
    schedule,
    endOf(place) {
      const groupPlace = groupPlaces.get(place);
      return groupPlace === undefined ? null : endAfter(groupPlace);
    },
    endUntilMadeUpFor: (place) => endAfter(newestFirst.filter(({ newest }) => newest > place).length),
  };
}

/** The good automated backups of each slot. */
function slotGroups(backups: readonly RetainedBackup[], slotAt: SlotAt): SlotGroup[] {
  const groups = new Map<number, SlotGroup>();
  for (const [place, backup] of backups.entries()) {
    if (backup.kind !== 'automated' || !isCounted(backup)) continue;
    const slot = slotAt(backup.createdAtMs);
    if (slot === null) continue;
    const group = groups.get(slot.startMs);
    if (group === undefined) groups.set(slot.startMs, { first: place, newest: place });
    else group.newest = place;
  }
  return [...groups.values()];
}

/**
 * Keeps what was made for the schedule; where nobody knows what a backup was made for, or that is gone, every one. A
 * retention of the backup's own stands instead.
 */
function timeRule(schedule: Schedule, { backups, schedules, nowMs, calendar }: RetainedRow): ScheduleRule {
  const known = new Set(schedules.map(({ id }) => id));
  const { keep, timezone } = schedule;
  const end = (place: number): End | null => {
    const backup = backups[place];
    if (backup === undefined || backup.expiresAtMs !== null) return null;
    const { madeFor, createdAtMs } = backup;
    const isForOthers = madeFor?.some((id) => known.has(id)) === true && !madeFor.includes(schedule.id);
    if (isForOthers) return null;
    if (keep.kind !== 'for') return { kind: 'none' };
    const atMs = calendar.zone(timezone).after(createdAtMs, keep.duration);
    return nowMs < atMs ? { kind: 'date', atMs } : null;
  };
  return { schedule, endOf: end, endUntilMadeUpFor: end };
}
