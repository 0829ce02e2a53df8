import type { CalendarSpan, Keep, Timing } from '../policies/schedule.ts';

const units: Readonly<Record<CalendarSpan['unit'], string>> = {
  h: 'hour',
  d: 'day',
  w: 'week',
  M: 'month',
  y: 'year',
};
const weekdayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** `every 2 days`, `Monday, Friday at 2:00, 14:00`, `by cron 0 2 * * *`. */
export function wordsOfTiming(timing: Timing): string {
  switch (timing.kind) {
    case 'interval':
      return timing.every.count === 1
        ? `every ${units[timing.every.unit]}`
        : `every ${spanWords(timing.every)}`;
    case 'weekly': {
      const days = timing.weekdays.map((day) => weekdayNames[day] ?? String(day)).join(', ');
      const hours = timing.hours.map((hour) => `${hour}:00`).join(', ');
      return `${timing.weekdays.length === 7 ? 'every day' : days} at ${timing.hours.length === 24 ? 'every hour' : hours}`;
    }
    case 'cron':
      return `by cron ${timing.cron}`;
  }
}

export function wordsOfKept(keep: Keep): string {
  switch (keep.kind) {
    case 'count':
      return `the newest ${keep.count}`;
    case 'for':
      return `for ${spanWords(keep.duration)}`;
    case 'forever':
      return 'until deleted';
  }
}

function spanWords({ count, unit }: CalendarSpan): string {
  return `${count} ${units[unit]}${count === 1 ? '' : 's'}`;
}
