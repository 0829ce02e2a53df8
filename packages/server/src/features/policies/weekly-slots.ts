import { remembered } from './remembered.ts';
import type { SlotAt } from './slot.ts';
import { hourMs, type TimeZone, weekdayOf } from './time-zone.ts';

/** In this many days, each weekday comes, also where a zone skipped a day. */
const daysToSearch = 16;

/** From each chosen hour of a chosen weekday to the next one. */
export function weeklySlots(
  { hours, weekdays }: { readonly hours: readonly number[]; readonly weekdays: readonly number[] },
  zone: TimeZone,
): SlotAt {
  const momentsOf = remembered(1000, (day: number): readonly number[] =>
    weekdays.includes(weekdayOf(day)) ? hours.map((hour) => zone.firstMomentFrom(day, hour * hourMs)) : [],
  );
  return (ms) => {
    const today = zone.dayOf(ms);
    // Hours that were skipped at a day's end are moments of the next: so yesterday's count as well.
    const ahead = search((days) => momentsOf(today - 1 + days).find((moment) => moment > ms));
    const behind = search((days) => momentsOf(today - days).findLast((moment) => moment <= ms));
    return behind === undefined || ahead === undefined ? null : { startMs: behind, endMs: ahead };
  };
}

function search(find: (days: number) => number | undefined): number | undefined {
  for (let days = 0; days <= daysToSearch; days += 1) {
    const moment = find(days);
    if (moment !== undefined) return moment;
  }
  return undefined;
}
