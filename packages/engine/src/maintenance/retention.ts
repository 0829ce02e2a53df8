import type { SnapshotRecord } from '../format/snapshot-file.ts';
import type { Timestamp } from '../format/timestamp.ts';
import {
  type CalendarDuration,
  formatCalendarDuration,
  isZeroDuration,
  momentBefore,
} from './calendar-duration.ts';
import { type CalendarUnit, calendarUnits, periodOf } from './calendar-period.ts';

/** How many to keep; 0 or undefined for no such rule. */
export type KeepCount = number | 'unlimited';

/**
 * Which snapshots of one group to keep: each that any rule keeps. Rules that count (`last`, `hourly` …) count the newest
 * snapshot of each hour, day and so on; rules with a duration look back from the group's newest snapshot.
 */
export interface RetentionPolicy {
  readonly last?: KeepCount | undefined;
  readonly hourly?: KeepCount | undefined;
  readonly daily?: KeepCount | undefined;
  readonly weekly?: KeepCount | undefined;
  readonly monthly?: KeepCount | undefined;
  readonly yearly?: KeepCount | undefined;
  /** Everything that is newer than this. */
  readonly within?: CalendarDuration | undefined;
  readonly withinHourly?: CalendarDuration | undefined;
  readonly withinDaily?: CalendarDuration | undefined;
  readonly withinWeekly?: CalendarDuration | undefined;
  readonly withinMonthly?: CalendarDuration | undefined;
  readonly withinYearly?: CalendarDuration | undefined;
  /** Lists of tags: a snapshot that has all tags of any list is kept. An empty tag stands for having none. */
  readonly tags?: readonly (readonly string[])[] | undefined;
}

export interface KeptSnapshot<Snapshot> {
  readonly snapshot: Snapshot;
  /** restic's words: `last snapshot`, `daily snapshot`, `oldest monthly snapshot`, `within 1d`, `has tags [a, b]` … */
  readonly reasons: readonly string[];
}

export interface RetentionResult<Snapshot> {
  /** The newest first. */
  readonly keep: readonly KeptSnapshot<Snapshot>[];
  /** The newest first. */
  readonly remove: readonly Snapshot[];
}

/** What a retention decides by. */
export type RetainedSnapshot = Pick<SnapshotRecord, 'time' | 'tags'>;

/** True when no rule is given that could keep anything. */
export function isEmptyPolicy(policy: RetentionPolicy): boolean {
  const hasCount = (['last', ...calendarUnits] as const).some((rule) => (policy[rule] ?? 0) !== 0);
  const hasSpan = [policy.within, ...calendarUnits.map((unit) => spanOf(policy, unit))].some(
    (span) => span !== undefined && !isZeroDuration(span),
  );
  return !hasCount && !hasSpan && (policy.tags ?? []).length === 0;
}

/**
 * Divides the snapshots of one group into those to keep and those to remove, exactly as restic 0.18's `forget` does.
 * While a counting rule has not found all that it may keep, it keeps the group's oldest snapshot too. Removes nothing
 * by itself; an empty policy keeps everything.
 *
 * @param nowMs snapshots from after this moment (a clock was wrong) do not count as the newest
 */
export function applyRetention<Snapshot extends RetainedSnapshot>(
  snapshots: readonly Snapshot[],
  policy: RetentionPolicy,
  nowMs: number,
): RetentionResult<Snapshot> {
  const newestFirst = [...snapshots].sort((a, b) => compareBigInts(b.time.epochNs, a.time.epochNs));
  if (isEmptyPolicy(policy)) {
    return {
      keep: newestFirst.map((snapshot) => ({ snapshot, reasons: ['policy is empty'] })),
      remove: [],
    };
  }
  const rules = rulesOf(policy, latestOf(newestFirst, nowMs));
  const keep: KeptSnapshot<Snapshot>[] = [];
  const remove: Snapshot[] = [];
  for (const [place, snapshot] of newestFirst.entries()) {
    const isOldest = place === newestFirst.length - 1;
    const reasons = rules.flatMap((rule) => rule({ snapshot, place, isOldest }));
    if (reasons.length > 0) keep.push({ snapshot, reasons });
    else remove.push(snapshot);
  }
  return { keep, remove };
}

interface Candidate {
  readonly snapshot: RetainedSnapshot;
  /** 0 for the newest. */
  readonly place: number;
  readonly isOldest: boolean;
}

/** Asked about the snapshots one by one, the newest first: why this one is to be kept; nothing if it need not be. */
type Rule = (candidate: Candidate) => readonly string[];

function rulesOf(policy: RetentionPolicy, latest: Timestamp | undefined): Rule[] {
  const cutoff = (span: CalendarDuration): bigint | undefined => latest && momentBefore(latest, span);
  const rules = (policy.tags ?? []).map(tagRule);
  if (policy.within !== undefined && !isZeroDuration(policy.within)) {
    rules.push(withinRule(policy.within, cutoff(policy.within)));
  }
  rules.push(countRule('last snapshot', policy.last, (_, place) => place));
  for (const unit of calendarUnits) {
    rules.push(countRule(`${unit} snapshot`, policy[unit], (time) => periodOf(time, unit)));
  }
  for (const unit of calendarUnits) {
    const span = spanOf(policy, unit);
    if (span !== undefined && !isZeroDuration(span)) rules.push(periodWithinRule(unit, span, cutoff(span)));
  }
  return rules;
}

function tagRule(tags: readonly string[]): Rule {
  return ({ snapshot }) => (hasTags(snapshot, tags) ? [`has tags [${tags.join(', ')}]`] : []);
}

function hasTags(snapshot: RetainedSnapshot, tags: readonly string[]): boolean {
  if (snapshot.tags.length === 0 && tags.includes('')) return true;
  return tags.every((tag) => snapshot.tags.includes(tag));
}

function withinRule(span: CalendarDuration, cutoffNs: bigint | undefined): Rule {
  const reason = `within ${formatCalendarDuration(span)}`;
  return ({ snapshot }) => (isAfter(snapshot.time, cutoffNs) ? [reason] : []);
}

function countRule(
  reason: string,
  count: KeepCount = 0,
  periodAt: (time: Timestamp, place: number) => number,
): Rule {
  let remaining = count === 'unlimited' ? Number.POSITIVE_INFINITY : count;
  let lastPeriod = -1;
  return ({ snapshot, place, isOldest }) => {
    if (remaining <= 0) return [];
    const period = periodAt(snapshot.time, place);
    const isNewPeriod = period !== lastPeriod;
    if (!isNewPeriod && !isOldest) return [];
    lastPeriod = period;
    remaining -= 1;
    return [isNewPeriod ? reason : `oldest ${reason}`];
  };
}

function periodWithinRule(unit: CalendarUnit, span: CalendarDuration, cutoffNs: bigint | undefined): Rule {
  const reason = `${unit} within ${formatCalendarDuration(span)}`;
  let lastPeriod = -1;
  return ({ snapshot, isOldest }) => {
    if (!isAfter(snapshot.time, cutoffNs)) return [];
    const period = periodOf(snapshot.time, unit);
    if (period === lastPeriod && !isOldest) return [];
    lastPeriod = period;
    return [reason];
  };
}

function spanOf(policy: RetentionPolicy, unit: CalendarUnit): CalendarDuration | undefined {
  switch (unit) {
    case 'hourly':
      return policy.withinHourly;
    case 'daily':
      return policy.withinDaily;
    case 'weekly':
      return policy.withinWeekly;
    case 'monthly':
      return policy.withinMonthly;
    case 'yearly':
      return policy.withinYearly;
  }
}

function latestOf(newestFirst: readonly RetainedSnapshot[], nowMs: number): Timestamp | undefined {
  const nowNs = BigInt(Math.floor(nowMs)) * 1_000_000n;
  return newestFirst.find(({ time }) => time.epochNs < nowNs)?.time;
}

/** Without a cutoff, as when every snapshot is from the future, everything is. */
function isAfter(time: Timestamp, cutoffNs: bigint | undefined): boolean {
  return cutoffNs === undefined || time.epochNs > cutoffNs;
}

function compareBigInts(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
