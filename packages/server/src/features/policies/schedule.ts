import type { ScheduleId } from '@holdfast/protocol';

export type CalendarUnit = 'h' | 'd' | 'w' | 'M' | 'y';

/** A number of hours, or of calendar steps. */
export interface CalendarSpan {
  readonly count: number;
  readonly unit: CalendarUnit;
}

export type Timing =
  | { readonly kind: 'interval'; readonly every: CalendarSpan }
  /** Hours 0 to 23 by the wall clock, weekdays 0 (Sunday) to 6; each in ascending order and none twice. */
  | { readonly kind: 'weekly'; readonly hours: readonly number[]; readonly weekdays: readonly number[] }
  | { readonly kind: 'cron'; readonly cron: string };

/** What stays of the automated backups of a schedule. */
export type Keep =
  /** One of each of the newest slots that have any. */
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'for'; readonly duration: CalendarSpan }
  | { readonly kind: 'forever' };

/**
 * When automated backups are due, as a row of slots: half-open stretches of time, each right after the one before, each
 * of which is to have a backup that began in it.
 */
export interface Schedule {
  readonly id: ScheduleId;
  readonly timing: Timing;
  readonly timezone: string;
  readonly keep: Keep;
  /** When it was set: what was due before is not asked for, so that setting a schedule starts no backup at once. */
  readonly sinceMs: number;
}

/** @param text a number and a unit, as the schemas of settings let through */
export function calendarSpan(text: string): CalendarSpan {
  const unit = text.at(-1);
  const count = Number(text.slice(0, -1));
  if (unit !== 'h' && unit !== 'd' && unit !== 'w' && unit !== 'M' && unit !== 'y')
    throw new TypeError(`${text} is no span of time`);
  return { count, unit };
}
