import type { BackupStatus, ScheduleId } from '@holdfast/protocol';
import type { Schedule } from './schedule.ts';
import { contains, type Slot, slotAfter } from './slot.ts';
import { type StartContext, startOf } from './start-offset.ts';
import { hourMs, minuteMs } from './time-zone.ts';

/**
 * An automated backup of an environment. One whose contents were removed since is one too, as long as it is known: or the
 * slot that it served would be served again.
 */
export interface Run {
  readonly createdAtMs: number;
  /** Null while it is not over. */
  readonly finishedAtMs: number | null;
  readonly status: BackupStatus;
}

/** How long after a run that failed the next one is tried, by how many have failed in the slot. Then no more. */
const retryAfterMs: readonly number[] = [15 * minuteMs, hourMs, 4 * hourMs];

export interface DueSchedule {
  readonly id: ScheduleId;
  readonly slot: Slot;
  /** Since when: the start that was due, or that of the attempt after one that failed. */
  readonly dueMs: number;
  /** 1 for the first in the slot. */
  readonly attempt: number;
}

/** What is known of the runs in a slot. */
export type SlotState =
  /** A backup began in it and was not lost. */
  | { readonly kind: 'served' }
  /** The schedule was set within it, after its start. */
  | { readonly kind: 'not-asked' }
  /** Every attempt failed, and none is left. */
  | { readonly kind: 'given-up' }
  | { readonly kind: 'open'; readonly dueMs: number; readonly attempt: number };

/**
 * The schedules that a backup is due for now; one backup serves them all. Only the current slot of each counts: older
 * ones that nobody served are not made up for. Neither is it asked whether a time is past, but whether it is in the same
 * slot: a clock that was ahead and has been set back stops nothing for longer than a slot.
 *
 * @param runs in any order but that attempts of one slot stand in the order in which they were made
 */
export function dueSchedules(
  schedules: readonly Schedule[],
  runs: readonly Run[],
  nowMs: number,
  context: StartContext,
): readonly DueSchedule[] {
  return schedules.flatMap((schedule) => {
    const slot = context.calendar.slotsOf(schedule)(nowMs);
    if (slot === null) return [];
    const state = stateOf({ schedule, slot, runs, nowMs }, context);
    if (state.kind !== 'open' || state.dueMs > nowMs) return [];
    return [{ id: schedule.id, slot, dueMs: state.dueMs, attempt: state.attempt }];
  });
}

/** Those whose slot has no backup yet: what a backup that begins then is made for, whether it is due for them or not. */
export function schedulesServedAt(
  atMs: number,
  schedules: readonly Schedule[],
  runs: readonly Run[],
  { calendar }: Pick<StartContext, 'calendar'>,
): readonly ScheduleId[] {
  return schedules
    .filter((schedule) => {
      const slot = calendar.slotsOf(schedule)(atMs);
      return slot !== null && !isServed(slot, runs);
    })
    .map(({ id }) => id);
}

/** The next moment from `nowMs` on at which a backup is due for a schedule, as things stand; null for none. */
export function nextDueMs(
  schedule: Schedule,
  runs: readonly Run[],
  nowMs: number,
  context: StartContext,
): number | null {
  const slotAt = context.calendar.slotsOf(schedule);
  // Each slot that is passed over has a run in it, or is the one that the schedule was set in.
  for (let slot = slotAt(nowMs); slot !== null; slot = slotAfter(slotAt, slot)) {
    const state = stateOf({ schedule, slot, runs, nowMs }, context);
    if (state.kind === 'open') return Math.max(state.dueMs, nowMs);
  }
  return null;
}

export function stateOf(
  {
    schedule,
    slot,
    runs,
    nowMs,
  }: {
    readonly schedule: Schedule;
    readonly slot: Slot;
    readonly runs: readonly Run[];
    readonly nowMs: number;
  },
  context: StartContext,
): SlotState {
  if (isServed(slot, runs)) return { kind: 'served' };
  const startMs = startOf(schedule, slot, context);
  // Setting a schedule starts no backup at once; what was still to come in its slot comes.
  if (wasSetWithin(schedule, slot) && startMs <= schedule.sinceMs) return { kind: 'not-asked' };
  // What failed before the start was for other schedules.
  const lost = runs.filter(({ createdAtMs }) => startMs <= createdAtMs && createdAtMs < slot.endMs);
  const last = lost.at(-1);
  if (last === undefined) return { kind: 'open', dueMs: startMs, attempt: 1 };
  const waitMs = retryAfterMs[lost.length - 1];
  if (waitMs === undefined) return { kind: 'given-up' };
  const lostAtMs = last.finishedAtMs ?? last.createdAtMs;
  // One that failed in the future did so by a clock that was wrong: that is nothing to wait for.
  const dueMs = lostAtMs > nowMs ? startMs : lostAtMs + waitMs;
  return dueMs < slot.endMs ? { kind: 'open', dueMs, attempt: lost.length + 1 } : { kind: 'given-up' };
}

/** The slot that `sinceMs` lies in, and not those before it: they are past, or the clock was wrong. */
export function wasSetWithin({ sinceMs }: Schedule, { startMs, endMs }: Slot): boolean {
  return startMs < sinceMs && sinceMs < endMs;
}

export function isServed(slot: Slot, runs: readonly Run[]): boolean {
  return runs.some(({ createdAtMs, status }) => contains(slot, createdAtMs) && !isLost(status));
}

function isLost(status: BackupStatus): boolean {
  return status === 'failed' || status === 'cancelled';
}
