import type { ScheduleId } from '@holdfast/protocol';
import { isServed, nextDueMs, type Run, schedulesServedAt, wasSetWithin } from './due.ts';
import type { Schedule } from './schedule.ts';
import { type Slot, slotAfter } from './slot.ts';
import type { SlotCalendar } from './slot-calendar.ts';
import type { StartContext } from './start-offset.ts';

export interface NextRun {
  readonly atMs: number;
  /** The schedules whose slot it is the first backup of. */
  readonly schedules: readonly ScheduleId[];
}

/** What is due next, if each run succeeds at once; the soonest first. Fewer where nothing more is ever due. */
export function nextRuns(
  schedules: readonly Schedule[],
  runs: readonly Run[],
  nowMs: number,
  { count = 5, ...context }: StartContext & { readonly count?: number },
): readonly NextRun[] {
  const next: NextRun[] = [];
  const runsThen = [...runs];
  let fromMs = nowMs;
  while (next.length < count) {
    const run = nextRun(schedules, runsThen, fromMs, context);
    if (run === null) break;
    next.push(run);
    runsThen.push({ createdAtMs: run.atMs, finishedAtMs: run.atMs, status: 'ready' });
    fromMs = run.atMs;
  }
  return next;
}

export function nextRun(
  schedules: readonly Schedule[],
  runs: readonly Run[],
  nowMs: number,
  context: StartContext,
): NextRun | null {
  const moments = schedules.map((schedule) => nextDueMs(schedule, runs, nowMs, context));
  const atMs = Math.min(...moments.map((moment) => moment ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(atMs)
    ? { atMs, schedules: schedulesServedAt(atMs, schedules, runs, context) }
    : null;
}

export interface MissedSlot {
  readonly id: ScheduleId;
  readonly slot: Slot;
}

/**
 * The slots that ended after `fromMs`, by `nowMs` at the latest, without a backup, and were asked for. Of each schedule the first
 * `limit` ones, the oldest first. What is missed is told, not made up for.
 */
export function missedSlots(
  schedules: readonly Schedule[],
  runs: readonly Run[],
  { fromMs, nowMs }: { readonly fromMs: number; readonly nowMs: number },
  { calendar, limit = 1000 }: { readonly calendar: SlotCalendar; readonly limit?: number },
): readonly MissedSlot[] {
  return schedules.flatMap((schedule) => {
    const slotAt = calendar.slotsOf(schedule);
    const missed: MissedSlot[] = [];
    let slot = slotAt(Math.max(fromMs, schedule.sinceMs));
    while (slot !== null && slot.endMs <= nowMs && missed.length < limit) {
      if (!wasSetWithin(schedule, slot) && !isServed(slot, runs)) missed.push({ id: schedule.id, slot });
      slot = slotAfter(slotAt, slot);
    }
    return missed;
  });
}
