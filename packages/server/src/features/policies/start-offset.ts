import { createHash } from 'node:crypto';
import type { EnvironmentId } from '@holdfast/protocol';
import type { Schedule } from './schedule.ts';
import type { Slot } from './slot.ts';
import type { SlotCalendar } from './slot-calendar.ts';
import { hourMs, minuteMs } from './time-zone.ts';

/** Where in its slot a backup starts, so that not all environments start at once. */
export interface StartWindow {
  /** Of slots that begin at midnight: from so many minutes after it, by the wall clock … */
  readonly fromMinutes: number;
  /** … for so long. */
  readonly lengthMs: number;
  /** At chosen hours and by cron strings: from their moment on, for so long. */
  readonly nearLengthMs: number;
}

export const defaultStartWindow: StartWindow = {
  fromMinutes: 60,
  lengthMs: 4 * hourMs,
  nearLengthMs: 15 * minuteMs,
};

/** Where an environment's backups start within a window, from 0 to right before 1: the same for all its schedules, for ever. */
export function startFraction(environmentId: EnvironmentId): number {
  return createHash('sha256').update(environmentId).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** When the backup of a slot is due: a moment of the slot, never before its start. */
export function startOf(
  { timing, timezone }: Schedule,
  slot: Slot,
  { fraction, window, calendar }: StartContext,
): number {
  const { startMs, endMs } = slot;
  const within = (lengthMs: number): number =>
    startMs + Math.floor(fraction * Math.min(lengthMs, (endMs - startMs) / 4));
  if (timing.kind !== 'interval') return within(window.nearLengthMs);
  const { count, unit } = timing.every;
  // A stretch that a change of the clocks made longer does not start later for it.
  if (unit === 'h') return within(Math.min(window.lengthMs, (count * hourMs) / 4));
  const zone = calendar.zone(timezone);
  const wallMs = Math.floor(window.fromMinutes * minuteMs + fraction * window.lengthMs);
  const startAtMs = zone.momentOf(zone.dayOf(startMs), wallMs);
  const isWithin = startMs <= startAtMs && startAtMs < endMs;
  return isWithin ? startAtMs : startMs + Math.floor(fraction * (endMs - startMs));
}

export interface StartContext {
  readonly calendar: SlotCalendar;
  /** Of the environment: see `startFraction`. */
  readonly fraction: number;
  readonly window: StartWindow;
}
