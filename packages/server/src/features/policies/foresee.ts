import type { BackupId, ScheduleId } from '@holdfast/protocol';
import type { Run } from './due.ts';
import { failedForMs } from './judge.ts';
import { type NextRun, nextRun } from './next-runs.ts';
import { isRemoval, type RetentionInput, retain } from './retention.ts';
import type { StartContext } from './start-offset.ts';
import { dayMs } from './time-zone.ts';
import type { RemoveRule, RetainedBackup, Verdict } from './verdict.ts';

export interface ForeseeInput extends RetentionInput, StartContext {
  /** Automated ones, removed ones among them as far as they are known. */
  readonly runs: readonly Run[];
  readonly days?: number;
}

export type ForeseenEvent =
  | {
      readonly kind: 'taken';
      readonly atMs: number;
      readonly id: BackupId;
      readonly schedules: readonly ScheduleId[];
    }
  | { readonly kind: 'removed'; readonly atMs: number; readonly id: BackupId; readonly rule: RemoveRule };

export interface Foreseen {
  readonly events: readonly ForeseenEvent[];
  readonly backups: readonly RetainedBackup[];
  /** Of the backups that are there at the end. */
  readonly verdicts: readonly Verdict[];
}

/**
 * What the coming days bring, if each automated backup succeeds at once and nobody makes or deletes any: what is taken,
 * what is removed, and what is there in the end. What is taken is named `foreseen-1` and so on. Pure: nothing is done.
 */
export function foresee({ days = 31, ...input }: ForeseeInput): Foreseen {
  const endMs = input.nowMs + days * dayMs;
  const events: ForeseenEvent[] = [];
  const runs = [...input.runs];
  let state: RetentionInput = remove(input, events);
  let taken = 0;
  let run = nextRun(input.schedules, runs, input.nowMs, input);
  for (;;) {
    const nowMs = Math.min(run?.atMs ?? Number.POSITIVE_INFINITY, nextDateMs(state));
    if (nowMs > endMs) break;
    let { backups } = state;
    if (run?.atMs === nowMs) {
      taken += 1;
      const backup = foreseenBackup(taken, run);
      events.push({ kind: 'taken', atMs: nowMs, id: backup.id, schedules: run.schedules });
      runs.push({ createdAtMs: nowMs, finishedAtMs: nowMs, status: 'ready' });
      backups = [...backups, backup];
      run = nextRun(input.schedules, runs, nowMs, input);
    }
    state = remove({ ...state, nowMs, backups }, events);
  }
  const atEnd = { ...state, nowMs: endMs };
  return { events, backups: atEnd.backups, verdicts: retain(atEnd) };
}

/** As a retention does until nothing more is to be removed: what was the last good one may go with the next. */
function remove(state: RetentionInput, events: ForeseenEvent[]): RetentionInput {
  const removed = retain(state).filter(isRemoval);
  if (removed.length === 0) return state;
  for (const { id, rule } of removed) events.push({ kind: 'removed', atMs: state.nowMs, id, rule });
  const gone = new Set(removed.map(({ id }) => id));
  return { ...state, backups: state.backups.filter(({ id }) => !gone.has(id)) };
}

/** The next moment at which a backup may be removed only because time has gone by. */
function nextDateMs({ backups, schedules, calendar, nowMs }: RetentionInput): number {
  const dates = backups.flatMap(({ kind, createdAtMs, expiresAtMs, status }) => {
    if (status === 'failed' || status === 'cancelled') return [createdAtMs + failedForMs];
    if (expiresAtMs !== null) return [expiresAtMs];
    if (kind !== 'automated') return [];
    return schedules.flatMap(({ keep, timezone }) =>
      keep.kind === 'for' ? [calendar.zone(timezone).after(createdAtMs, keep.duration)] : [],
    );
  });
  return Math.min(...dates.filter((date) => date > nowMs), Number.POSITIVE_INFINITY);
}

function foreseenBackup(number: number, { atMs, schedules }: NextRun): RetainedBackup {
  return {
    id: `foreseen-${number}` as BackupId,
    kind: 'automated',
    status: 'ready',
    createdAtMs: atMs,
    expiresAtMs: null,
    isPinned: false,
    isWhole: true,
    isDoubtful: false,
    madeFor: schedules,
  };
}
