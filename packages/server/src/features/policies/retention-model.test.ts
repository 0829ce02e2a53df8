import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backup, calendar, every, moment, timed } from '../../testing/policy-samples.ts';
import { type RetentionInput, retain } from './retention.ts';
import type { Schedule } from './schedule.ts';
import { dayMs, hourMs } from './time-zone.ts';
import type { RetainedBackup } from './verdict.ts';

/**
 * The rules once more, slow and plain: each asks the whole list anew. All is in UTC, so slots are parts of a date's text.
 */
function slowlyRemoved(input: RetentionInput): readonly RetainedBackup[] {
  const { backups: all, schedules, nowMs, manualCount, maxBackups } = input;
  const place = (one: RetainedBackup) => all.indexOf(one);
  const isOwn = ({ kind }: RetainedBackup) => kind === 'manual' || kind === 'automated';
  const isSound = ({ status, isDoubtful }: RetainedBackup) => status === 'ready' && !isDoubtful;
  const isGood = (one: RetainedBackup) => isSound(one) && isOwn(one);
  const counts = (one: RetainedBackup) => isGood(one) && !one.isPinned;
  const isOver = ({ expiresAtMs }: RetainedBackup) => expiresAtMs !== null && expiresAtMs <= nowMs;
  const hasNewer = (one: RetainedBackup, test: (other: RetainedBackup) => boolean) =>
    all.some((other) => place(other) > place(one) && test(other));

  const isLast = (one: RetainedBackup) =>
    [
      (other: RetainedBackup) => isGood(other),
      (other: RetainedBackup) => isGood(other) && other.isWhole,
      (other: RetainedBackup) => isGood(other) || (isSound(other) && other.kind === 'imported'),
      (other: RetainedBackup) =>
        (isGood(other) || (isSound(other) && other.kind === 'imported')) && other.isWhole,
    ].some((test) => test(one) && !hasNewer(one, test));

  const isKeptBySchedule = (one: RetainedBackup, schedule: Schedule): boolean => {
    const { keep } = schedule;
    if (keep.kind !== 'count') return isKeptByTime(one, schedule);
    const slot = (other: RetainedBackup) => slotName(schedule, other.createdAtMs);
    const inSlots = all.filter((other) => counts(other) && other.kind === 'automated');
    const ofSameSlot = inSlots.filter((other) => slot(other) === slot(one));
    const newestOf = (name: string) => Math.max(...inSlots.filter((each) => slot(each) === name).map(place));
    const newerSlots = [...new Set(inSlots.map(slot))].filter((name) => newestOf(name) > newestOf(slot(one)));
    return ofSameSlot[0] === one && newerSlots.length < keep.count;
  };

  const isKeptByTime = (one: RetainedBackup, { id, keep }: Schedule): boolean => {
    if (one.expiresAtMs !== null) return false;
    const made = one.madeFor?.filter((each) => schedules.some((schedule) => schedule.id === each)) ?? [];
    if (made.length > 0 && !made.includes(id)) return false;
    return keep.kind !== 'for' || nowMs < one.createdAtMs + keep.duration.count * dayMs;
  };

  const isMadeUpFor = (one: RetainedBackup, schedule: Schedule): boolean => {
    const { keep } = schedule;
    if (keep.kind !== 'count') return !isKeptByTime(one, schedule);
    const newer = all.filter(
      (other) => counts(other) && other.kind === 'automated' && place(other) > place(one),
    );
    return new Set(newer.map((other) => slotName(schedule, other.createdAtMs))).size >= keep.count;
  };

  const newerManual = (one: RetainedBackup) =>
    all.filter(
      (other) => other.kind === 'manual' && counts(other) && !isOver(other) && place(other) > place(one),
    );

  const isRemoved = (one: RetainedBackup): boolean => {
    if (one.isPinned || isLast(one)) return false;
    if (one.status === 'failed' || one.status === 'cancelled')
      return hasNewer(one, isGood) && one.createdAtMs + 30 * dayMs <= nowMs;
    if (one.status !== 'ready' && one.status !== 'damaged') return false;
    if (!isOwn(one)) return isOver(one);
    if (!isGood(one) && !hasNewer(one, isGood)) return false;
    if (one.kind === 'manual')
      return isOver(one) || (manualCount !== null && newerManual(one).length >= manualCount);
    if (one.expiresAtMs !== null && !isOver(one)) return false;
    if (schedules.length === 0) return isOver(one);
    if (isGood(one)) return !schedules.some((schedule) => isKeptBySchedule(one, schedule));
    return isOver(one) || schedules.every((schedule) => isMadeUpFor(one, schedule));
  };

  const removed = all.filter(isRemoved);
  if (maxBackups === null) return removed;
  for (const one of all) {
    const left = all.filter((other) => counts(other) && !removed.includes(other));
    if (left.length > maxBackups && left.includes(one) && !isLast(one)) removed.push(one);
  }
  return removed;
}

function slotName({ id }: Schedule, ms: number): string {
  const text = new Date(ms).toISOString();
  switch (id) {
    case 'interval:1M':
      return text.slice(0, 7);
    case 'interval:1d':
      return text.slice(0, 10);
    case 'interval:1h':
      return text.slice(0, 13);
    default:
      return String(Math.floor((ms - Date.UTC(2000, 0, 3)) / (7 * dayMs)));
  }
}

const nowMs = moment('2026-06-30T12:00Z');
const schedules = [
  ...every('1d 5, 1w 3, 1M 2, 1h 6'),
  timed('weekly', { kind: 'weekly', hours: [2], weekdays: [1, 4] }, { keepFor: '20d' }),
  timed('cron:db', { kind: 'cron', cron: '0 4 * * *' }),
];

const rarely = (weight: number) => fc.nat({ max: weight }).map((number) => number === 0);
const aBackup = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('automated' as const) },
    fc.constantFrom('manual' as const, 'manual' as const, 'imported' as const, 'safety' as const),
  ),
  status: fc.oneof(
    { weight: 6, arbitrary: fc.constant('ready' as const) },
    fc.constantFrom(
      'failed' as const,
      'cancelled' as const,
      'damaged' as const,
      'running' as const,
      'deleting' as const,
    ),
  ),
  createdAtMs: fc.nat({ max: 24 * 70 }).map((hours) => nowMs + 24 * hourMs - hours * hourMs),
  expiresAtMs: fc.option(
    fc.integer({ min: -40, max: 40 }).map((days) => nowMs + days * dayMs),
    { freq: 3 },
  ),
  isPinned: rarely(12),
  isWhole: rarely(5).map((isPartial) => !isPartial),
  isDoubtful: rarely(8),
  madeFor: fc.option(fc.subarray(schedules.map(({ id }) => id)), { freq: 3 }),
});

/** Mostly in the order of their times, as clocks mostly go right. */
const anInput: fc.Arbitrary<RetentionInput> = fc
  .record({
    rows: fc.array(aBackup, { maxLength: 40 }),
    isInOrder: fc.boolean(),
    schedules: fc.subarray(schedules),
    maxBackups: fc.option(fc.integer({ min: 1, max: 12 })),
    manualCount: fc.option(fc.integer({ min: 1, max: 4 })),
  })
  .map(({ rows, isInOrder, ...set }) => {
    const made = isInOrder ? rows.toSorted((a, b) => a.createdAtMs - b.createdAtMs) : rows;
    return { ...set, backups: made.map((row, index) => backup(index, row)), nowMs, calendar };
  });

function removedIds(input: RetentionInput): readonly string[] {
  return retain(input).flatMap(({ kind, id }) => (kind === 'remove' ? [id] : []));
}

describe('whatever is there, and whatever is set', () => {
  it('what is removed is what the rules say, read one by one', () => {
    fc.assert(
      fc.property(anInput, (input) => {
        const slowly = slowlyRemoved(input).map(({ id }) => id);
        expect(removedIds(input)).toEqual(slowly.toSorted());
      }),
      { numRuns: 3000 },
    );
  });

  it('the newest good one stays, and so does the newest good one of all components', () => {
    fc.assert(
      fc.property(anInput, (input) => {
        const good = input.backups.filter(
          ({ kind, status, isDoubtful }) =>
            status === 'ready' && !isDoubtful && (kind === 'manual' || kind === 'automated'),
        );
        const removed = removedIds(input);
        for (const last of [good.at(-1), good.findLast(({ isWhole }) => isWhole)]) {
          if (last !== undefined) expect(removed).not.toContain(last.id);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('one more that is not good removes nothing', () => {
    const bad = fc.oneof(
      aBackup.map((row) => ({ ...row, status: 'running' as const })),
      aBackup.map((row) => ({ ...row, status: 'failed' as const })),
      aBackup.map((row) => ({ ...row, status: 'damaged' as const })),
      aBackup.map((row) => ({ ...row, isDoubtful: true })),
      aBackup.map((row) => ({ ...row, kind: 'safety' as const })),
    );
    fc.assert(
      fc.property(anInput, bad, (input, row) => {
        const more = { ...input, backups: [...input.backups, backup(1000, { ...row, expiresAtMs: null })] };
        expect(removedIds(more)).toEqual(removedIds(input));
      }),
      { numRuns: 1000 },
    );
  });

  it('each that is kept has a rule and an end that is to come', () => {
    fc.assert(
      fc.property(anInput, (input) => {
        for (const verdict of retain(input)) {
          if (verdict.kind === 'remove') continue;
          expect(verdict.rules.length).toBeGreaterThan(0);
          if (verdict.end.kind === 'replaced') expect(verdict.end.afterNext).toBeGreaterThan(0);
          if (verdict.end.kind === 'date') expect(verdict.end.atMs).toBeGreaterThan(nowMs);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
