import { type BackupId, backupIdSchema, type EnvironmentId, type ScheduleId } from '@holdfast/protocol';
import { Temporal } from 'temporal-polyfill';
import { calendarSpan, type Schedule, type Timing } from '../features/policies/schedule.ts';
import { schedulesOfIntervals } from '../features/policies/schedules-of.ts';
import { slotAfter } from '../features/policies/slot.ts';
import { createSlotCalendar } from '../features/policies/slot-calendar.ts';
import { defaultStartWindow, type StartContext } from '../features/policies/start-offset.ts';
import type { RetainedBackup } from '../features/policies/verdict.ts';

/** Remembers what it found out; nothing else is in it. */
export const calendar = createSlotCalendar();

/** Backups start right where their window begins. */
export const atWindowStart: StartContext = { calendar, fraction: 0, window: defaultStartWindow };

/** `2026-03-29T01:00[Europe/Berlin]`, or an instant with its offset. */
export function moment(text: string): number {
  return text.includes('[')
    ? Temporal.ZonedDateTime.from(text).epochMilliseconds
    : Temporal.Instant.from(text).epochMilliseconds;
}

/** `2026-03-29 03:00 +02:00` */
export function local(ms: number, timezone: string): string {
  const zoned = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timezone);
  return zoned
    .toString({ timeZoneName: 'never', smallestUnit: 'minute' })
    .replace('T', ' ')
    .replace(/(?=[+-]\d\d:\d\d$)/, ' ');
}

export interface ScheduleSample {
  readonly timezone?: string;
  readonly sinceMs?: number;
}

/** `1d 7`: every day, 7 are kept. */
export function every(
  text: string,
  { timezone = 'UTC', sinceMs = 0 }: ScheduleSample = {},
): readonly Schedule[] {
  const intervals = text.split(', ').map((each) => {
    const [interval = '', count] = each.split(' ');
    return { interval, count: Number(count ?? 1) };
  });
  return schedulesOfIntervals(intervals, { timezone, sinceMs });
}

export function timed(
  id: string,
  timing: Timing,
  { timezone = 'UTC', sinceMs = 0, keepFor }: ScheduleSample & { readonly keepFor?: string } = {},
): Schedule {
  const keep =
    keepFor === undefined
      ? { kind: 'forever' as const }
      : { kind: 'for' as const, duration: calendarSpan(keepFor) };
  return { id: id as ScheduleId, timing, timezone, sinceMs, keep };
}

/** The local starts of slots that follow each other, from the one that a moment lies in. */
export function slotStarts(schedule: Schedule, from: string, count: number): readonly string[] {
  const slotAt = calendar.slotsOf(schedule);
  const starts: string[] = [];
  let slot = slotAt(moment(from));
  for (; slot !== null && starts.length < count; slot = slotAfter(slotAt, slot)) {
    starts.push(local(slot.startMs, schedule.timezone));
  }
  return starts;
}

export function backupId(number: number): BackupId {
  return backupIdSchema.parse(`bak_${String(number).padStart(16, '0')}`);
}

export function environmentId(number: number): EnvironmentId {
  return `env_${String(number).padStart(16, '0')}` as EnvironmentId;
}

/** A good automated backup of all components, unless told otherwise. */
export function backup(number: number, fields: Partial<RetainedBackup> = {}): RetainedBackup {
  return {
    id: backupId(number),
    kind: 'automated',
    status: 'ready',
    createdAtMs: 0,
    expiresAtMs: null,
    isPinned: false,
    isWhole: true,
    isDoubtful: false,
    madeFor: null,
    ...fields,
  };
}
