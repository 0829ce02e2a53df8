import { Cron } from 'croner';
import type { SlotAt } from './slot.ts';

const secondMs = 1000;

/** From each moment of a cron string to the next one. @throws what croner throws at a string that it does not take */
export function cronSlots(cron: string, timezone: string): SlotAt {
  const moments = openCron(cron, timezone);
  return (ms) => {
    // croner counts whole seconds, and looks for what is earlier than what it is given.
    const nextSecond = new Date((Math.floor(ms / secondMs) + 1) * secondMs);
    const start = moments.previousRuns(1, nextSecond)[0];
    if (start === undefined) return null;
    const end = moments.nextRun(start);
    return { startMs: start.getTime(), endMs: end?.getTime() ?? Number.POSITIVE_INFINITY };
  };
}

/** Whether a cron string means something, and ever has a moment. */
export function checkCron(
  cron: string,
  timezone: string,
): { kind: 'fires' } | { kind: 'never' } | { kind: 'unreadable'; why: string } {
  // To croner a date is a cron string too, of one moment, and `?` is what the clock shows when it is read.
  if (/[:?]/.test(cron)) return { kind: 'unreadable', why: `it has a ${cron.includes(':') ? ':' : '?'}` };
  try {
    const first = openCron(cron, timezone).nextRun(new Date(0));
    return { kind: first === null ? 'never' : 'fires' };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'unreadable', why: why.replace(/^CronPattern: /, '') };
  }
}

function openCron(cron: string, timezone: string): Cron {
  return new Cron(cron, { timezone, mode: '5-or-6-parts', paused: true });
}
