import type { ScheduleRule } from './schedule-rule.ts';
import type { SlotCalendar } from './slot-calendar.ts';
import type { End } from './verdict.ts';

/** Tells which of several ends comes first. What is not a date is estimated by the length of slots as they are now. */
export interface EndOrder {
  sooner(a: End, b: End): End;
  latest(ends: readonly [End, ...End[]]): End;
}

/** Later than any date, but not never: nobody knows when the next manual backup is made. */
const someDayMs = Number.MAX_VALUE;

export function createEndOrder(
  rules: readonly ScheduleRule[],
  { nowMs, calendar }: { readonly nowMs: number; readonly calendar: SlotCalendar },
): EndOrder {
  const slotLengths = new Map(
    rules.map(({ schedule }) => {
      const slot = calendar.slotsOf(schedule)(nowMs);
      return [schedule.id, slot === null ? someDayMs : slot.endMs - slot.startMs];
    }),
  );
  const paceMs = Math.min(someDayMs, ...slotLengths.values());

  function inMs(end: End): number {
    switch (end.kind) {
      case 'none':
        return Number.POSITIVE_INFINITY;
      case 'date':
        return end.atMs - nowMs;
      case 'replaced':
        return Math.min(someDayMs, end.afterNext * lengthOf(end));
    }
  }

  function lengthOf({ by }: Extract<End, { kind: 'replaced' }>): number {
    switch (by.kind) {
      case 'schedule':
        return slotLengths.get(by.schedule) ?? someDayMs;
      case 'good':
        return paceMs;
      case 'manual':
        return someDayMs;
    }
  }

  return {
    sooner: (a, b) => (inMs(b) < inMs(a) ? b : a),
    latest: ([first, ...others]) =>
      others.reduce<End>((latest, end) => (inMs(end) > inMs(latest) ? end : latest), first),
  };
}
