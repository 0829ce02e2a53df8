import type { BackupId } from '@holdfast/protocol';
import { createEndOrder, type EndOrder } from './end.ts';
import { isCounted, isGood, lastGood } from './good-backups.ts';
import { type Judgement, judge } from './judge.ts';
import { type RetainedRow, scheduleRule } from './schedule-rule.ts';
import type { End, RemoveVerdict, RetainedBackup, Verdict } from './verdict.ts';

export interface RetentionInput extends RetainedRow {
  /** How many good ones there may be, manual and automated together; null for any number. */
  readonly maxBackups: number | null;
  /** How many good manual ones; null for any number. */
  readonly manualCount: number | null;
}

/**
 * Which of an environment's backups stay, and by which rule; one verdict for each, in the order given. Places in that
 * order decide what is newer, never times: clocks are set back. Only good ones count for anything, so nothing goes before
 * what replaces it is ready.
 */
export function retain(input: RetentionInput): readonly Verdict[] {
  const { backups, schedules, manualCount, nowMs } = input;
  const rules = schedules.map((schedule) => scheduleRule(schedule, input));
  const order = createEndOrder(rules, input);
  const facts = {
    nowMs,
    rules,
    order,
    manualCount,
    newestGood: backups.findLastIndex((backup) => isGood(backup)),
    manualPlaces: manualPlacesOf(input),
  };
  const last = lastGood(backups);
  const judged = backups.map((backup, place): Judged => {
    const judgement = judge(backup, place, facts);
    return { backup, judgement: last.has(backup) ? spared(judgement) : judgement };
  });
  return capped(judged, { maxBackups: input.maxBackups, last, order }).map(
    ({ backup, judgement }): Verdict => ({ id: backup.id, ...judgement }),
  );
}

/**
 * What goes when one more manual backup is ready, and would stay without it. Of those that failed, and have
 * nothing in them, nothing is told.
 */
export function replacedByNextManual(
  input: RetentionInput,
  { isWhole = true }: { readonly isWhole?: boolean } = {},
): readonly RemoveVerdict[] {
  const next: RetainedBackup = {
    id: 'next' as BackupId,
    kind: 'manual',
    status: 'ready',
    createdAtMs: input.nowMs,
    expiresAtMs: null,
    isPinned: false,
    isWhole,
    isDoubtful: false,
    madeFor: null,
  };
  const goneAlready = new Set(
    retain(input)
      .filter(isRemoval)
      .map(({ id }) => id),
  );
  return retain({ ...input, backups: [...input.backups, next] })
    .filter(isRemoval)
    .filter(({ id, rule }) => !goneAlready.has(id) && rule.rule !== 'failed');
}

export function isRemoval(verdict: Verdict): verdict is RemoveVerdict {
  return verdict.kind === 'remove';
}

interface Judged {
  readonly backup: RetainedBackup;
  readonly judgement: Judgement;
}

/** Those whose own retention is over leave their place to an older one. */
function manualPlacesOf({ backups, nowMs }: RetentionInput): readonly number[] {
  return backups
    .map((backup, place) => ({ backup, place }))
    .filter(({ backup }) => backup.kind === 'manual' && isCounted(backup))
    .filter(({ backup: { expiresAtMs } }) => expiresAtMs === null || nowMs < expiresAtMs)
    .map(({ place }) => place);
}

function spared(judgement: Judgement): Judgement {
  if (judgement.kind === 'keep') return judgement;
  return {
    kind: 'keep',
    rules: [{ rule: 'last-good', instead: judgement.rule }],
    end: { kind: 'replaced', afterNext: 1, by: { kind: 'good' } },
  };
}

interface Cap {
  readonly maxBackups: number | null;
  readonly last: ReadonlySet<RetainedBackup>;
  readonly order: EndOrder;
}

/** Takes away what is too much of what the other rules leave, the oldest first. */
function capped(judged: readonly Judged[], { maxBackups, last, order }: Cap): readonly Judged[] {
  if (maxBackups === null) return judged;
  const counted = judged
    .filter(({ backup, judgement }) => judgement.kind === 'keep' && isCounted(backup))
    .map(({ backup }) => backup);
  const tooMany = new Set(
    counted.filter((backup) => !last.has(backup)).slice(0, Math.max(0, counted.length - maxBackups)),
  );
  const left = counted.filter((backup) => !tooMany.has(backup));
  const olderThan = new Map(left.map((backup, older) => [backup, older]));
  return judged.map(({ backup, judgement }): Judged => {
    if (tooMany.has(backup)) {
      return { backup, judgement: { kind: 'remove', rule: { rule: 'max-backups', count: maxBackups } } };
    }
    const older = olderThan.get(backup);
    if (judgement.kind === 'remove' || older === undefined) return { backup, judgement };
    const afterNext = Math.max(1, maxBackups - left.length + older + 1);
    const end: End = { kind: 'replaced', afterNext, by: { kind: 'good' } };
    return { backup, judgement: { ...judgement, end: order.sooner(judgement.end, end) } };
  });
}
