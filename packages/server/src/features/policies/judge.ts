import type { EndOrder } from './end.ts';
import { isGood } from './good-backups.ts';
import type { ScheduleRule } from './schedule-rule.ts';
import { dayMs } from './time-zone.ts';
import type { End, KeepRule, KeepVerdict, RemoveRule, RemoveVerdict, RetainedBackup } from './verdict.ts';

/** How long one that failed or was cancelled can be looked at, once a newer one is good. */
export const failedForMs = 30 * dayMs;

export type Judgement = Omit<KeepVerdict, 'id'> | Omit<RemoveVerdict, 'id'>;

/** What the rules for one backup look at. Places are those in the order made. */
export interface Facts {
  readonly nowMs: number;
  readonly rules: readonly ScheduleRule[];
  readonly order: EndOrder;
  /** Of the newest good one; -1 for none. */
  readonly newestGood: number;
  /** Of the manual ones that count. */
  readonly manualPlaces: readonly number[];
  readonly manualCount: number | null;
}

/** What is said of one backup by itself: `maxBackups` and the last good one are not looked at. */
export function judge(backup: RetainedBackup, place: number, facts: Facts): Judgement {
  if (backup.isPinned) return keep({ rule: 'pinned' }, never);
  switch (backup.status) {
    case 'queued':
    case 'running':
    case 'importing':
    case 'deleting':
      return keep({ rule: 'unfinished', status: backup.status }, never);
    case 'failed':
    case 'cancelled':
      return judgeFailed(backup, place, facts);
    case 'ready':
    case 'damaged':
      return judgeContents(backup, place, facts);
  }
}

const never: End = { kind: 'none' };
const nextGood: End = { kind: 'replaced', afterNext: 1, by: { kind: 'good' } };

function keep(rule: KeepRule, end: End): Judgement {
  return { kind: 'keep', rules: [rule], end };
}

function remove(rule: RemoveRule): Judgement {
  return { kind: 'remove', rule };
}

function judgeFailed({ createdAtMs }: RetainedBackup, place: number, facts: Facts): Judgement {
  if (facts.newestGood < place) return keep({ rule: 'failed' }, nextGood);
  const atMs = createdAtMs + failedForMs;
  return atMs <= facts.nowMs ? remove({ rule: 'failed' }) : keep({ rule: 'failed' }, { kind: 'date', atMs });
}

function judgeContents(backup: RetainedBackup, place: number, facts: Facts): Judgement {
  switch (backup.kind) {
    case 'imported':
    case 'safety':
      return judgeOwnRetention(backup, facts) ?? keep({ rule: 'until-deleted' }, never);
    case 'manual':
      return isGood(backup) || facts.newestGood > place
        ? judgeManual(backup, place, facts)
        : keep({ rule: 'not-made-up-for' }, nextGood);
    case 'automated':
      return isGood(backup) ? judgeAutomated(backup, place, facts) : judgeBadAutomated(backup, place, facts);
  }
}

function judgeOwnRetention({ expiresAtMs }: RetainedBackup, { nowMs }: Facts): Judgement | null {
  if (expiresAtMs === null) return null;
  const rule = { rule: 'own-retention', expiresAtMs } as const;
  return expiresAtMs <= nowMs ? remove(rule) : keep(rule, { kind: 'date', atMs: expiresAtMs });
}

/** Both its own retention and the number of newer ones may end it. */
function judgeManual(backup: RetainedBackup, place: number, facts: Facts): Judgement {
  const own = judgeOwnRetention(backup, facts);
  const { manualCount: count, manualPlaces } = facts;
  if (own?.kind === 'remove' || count === null) return own ?? keep({ rule: 'until-deleted' }, never);
  const newer = manualPlaces.filter((other) => other > place).length;
  const rule = { rule: 'manual-count', count } as const;
  if (newer >= count) return remove(rule);
  const end: End = { kind: 'replaced', afterNext: count - newer, by: { kind: 'manual' } };
  if (own === null) return keep(rule, end);
  return { kind: 'keep', rules: [...own.rules, rule], end: facts.order.sooner(own.end, end) };
}

/** Kept by whatever keeps it longest. */
function judgeAutomated(backup: RetainedBackup, place: number, facts: Facts): Judgement {
  const own = judgeOwnRetention(backup, facts);
  const kept = facts.rules.flatMap(({ schedule, endOf }) => {
    const end = endOf(place);
    return end === null ? [] : [{ rule: { rule: 'schedule', schedule: schedule.id } as const, end }];
  });
  const rules = [...(own?.kind === 'keep' ? own.rules : []), ...kept.map(({ rule }) => rule)];
  const [first, ...others] = [...(own?.kind === 'keep' ? [own.end] : []), ...kept.map(({ end }) => end)];
  if (first !== undefined) return { kind: 'keep', rules, end: facts.order.latest([first, ...others]) };
  if (own !== null) return own;
  return facts.rules.length === 0 ? keep({ rule: 'no-schedule' }, never) : remove({ rule: 'schedules' });
}

/** It takes a place in no count, and goes when newer good ones would have taken it from a good one. */
function judgeBadAutomated(backup: RetainedBackup, place: number, facts: Facts): Judgement {
  const own = judgeOwnRetention(backup, facts);
  if (own?.kind === 'keep') return own;
  if (own === null && facts.rules.length === 0) return keep({ rule: 'no-schedule' }, never);
  const rule = { rule: 'not-made-up-for' } as const;
  if (facts.newestGood < place) return keep(rule, nextGood);
  if (own !== null) return own;
  const [first, ...others] = facts.rules
    .map(({ endUntilMadeUpFor }) => endUntilMadeUpFor(place))
    .filter((end) => end !== null);
  if (first === undefined) return remove({ rule: 'schedules' });
  return keep(rule, facts.order.latest([first, ...others]));
}
