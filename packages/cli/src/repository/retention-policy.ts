import { type CalendarDuration, parseCalendarDuration, type RetentionPolicy } from '@holdfast/engine';
import type { RetentionOptions } from './retention-options.ts';

export function policyOf(options: RetentionOptions): RetentionPolicy {
  return {
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
    within: duration(options.keepWithin),
    withinHourly: duration(options.keepWithinHourly),
    withinDaily: duration(options.keepWithinDaily),
    withinWeekly: duration(options.keepWithinWeekly),
    withinMonthly: duration(options.keepWithinMonthly),
    withinYearly: duration(options.keepWithinYearly),
    tags: options.keepTag?.map((list) => list.split(',')),
  };
}

function duration(text: string | undefined): CalendarDuration | undefined {
  return text === undefined ? undefined : parseCalendarDuration(text);
}
