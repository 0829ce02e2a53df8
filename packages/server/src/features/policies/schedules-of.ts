import {
  type BackupPolicy,
  type CronPolicy,
  type IntervalSchedule,
  type ScheduleId,
  scheduleIdSchema,
} from '@holdfast/protocol';
import { calendarSpan, type Keep, type Schedule } from './schedule.ts';

export interface ScheduleOrigin {
  /** Where what was set names none. */
  readonly timezone: string;
  readonly sinceMs: number;
}

const allHours = Array.from({ length: 24 }, (_, hour) => hour);
const allWeekdays = Array.from({ length: 7 }, (_, weekday) => weekday);

/** `1d` and 7: a backup every day, of which 7 are kept. */
export function schedulesOfIntervals(
  intervals: readonly IntervalSchedule[],
  origin: ScheduleOrigin,
): readonly Schedule[] {
  return intervals.map(({ interval, count }) => ({
    ...origin,
    id: scheduleId(`interval:${interval}`),
    timing: { kind: 'interval', every: calendarSpan(interval) },
    keep: { kind: 'count', count },
  }));
}

/** Chosen hours of chosen weekdays: one schedule, or none where it is not enabled. */
export function schedulesOfPolicy(policy: BackupPolicy, origin: ScheduleOrigin): readonly Schedule[] {
  if (!policy.enabled) return [];
  const { retention, timezone = origin.timezone } = policy;
  return [
    {
      ...origin,
      timezone,
      id: scheduleId('weekly'),
      timing: {
        kind: 'weekly',
        hours: policy.every_hour ? allHours : ascending(policy.hours),
        weekdays: policy.every_day ? allWeekdays : ascending(policy.weekdays),
      },
      keep: keepFor(typeof retention === 'number' ? `${retention}d` : retention),
    },
  ];
}

/** @param name of the component */
export function scheduleOfCron(
  name: string,
  { cron_string, retention, timezone }: CronPolicy,
  origin: ScheduleOrigin,
): Schedule {
  return {
    ...origin,
    timezone: timezone ?? origin.timezone,
    id: scheduleId(`cron:${name}`),
    timing: { kind: 'cron', cron: cron_string },
    keep: keepFor(retention),
  };
}

function keepFor(duration: string | null | undefined): Keep {
  return duration ? { kind: 'for', duration: calendarSpan(duration) } : { kind: 'forever' };
}

function ascending(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function scheduleId(text: string): ScheduleId {
  return scheduleIdSchema.parse(text);
}
