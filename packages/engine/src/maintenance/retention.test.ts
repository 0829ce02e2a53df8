import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTimestamp } from '../format/timestamp.ts';
import { formatCalendarDuration, momentBefore, parseCalendarDuration } from './calendar-duration.ts';
import { periodOf } from './calendar-period.ts';
import { applyRetention, isEmptyPolicy, type RetainedSnapshot, type RetentionPolicy } from './retention.ts';
import { groupSnapshots } from './snapshot-groups.ts';

const now = Date.UTC(2026, 5, 1);

function at(text: string, ...tags: readonly string[]): RetainedSnapshot {
  const time = parseTimestamp(text);
  if (time === undefined) throw new Error(`not a time: ${text}`);
  return { time, tags };
}

function timesKept(
  snapshots: readonly RetainedSnapshot[],
  policy: RetentionPolicy,
): Map<bigint, readonly string[]> {
  const { keep } = applyRetention(snapshots, policy, now);
  return new Map(keep.map(({ snapshot, reasons }) => [snapshot.time.epochNs, reasons]));
}

describe('a calendar duration', () => {
  it('is read and written in restic’s form', () => {
    for (const text of ['1y5m7d2h', '3d', '36h']) {
      expect(formatCalendarDuration(parseCalendarDuration(text))).toBe(text);
    }
    expect(formatCalendarDuration(parseCalendarDuration('2h1d5d'))).toBe('5d2h');
    for (const text of ['', '5', 'd', '-1d', '1w', '1d ', '1.5d']) {
      expect(() => parseCalendarDuration(text)).toThrow(expect.objectContaining({ code: 'usage-invalid' }));
    }
  });

  it('is taken off by the calendar', () => {
    const earlier = (time: string, duration: string): bigint =>
      momentBefore(at(time).time, parseCalendarDuration(duration));
    expect(earlier('2026-03-31T10:00:00.5Z', '1m')).toBe(at('2026-03-03T10:00:00.5Z').time.epochNs);
    expect(earlier('2024-02-29T00:00:00Z', '1y')).toBe(at('2023-03-01T00:00:00Z').time.epochNs);
    expect(earlier('2026-01-01T00:30:00+05:30', '1y1m1d25h')).toBe(
      at('2024-11-28T23:30:00+05:30').time.epochNs,
    );
  });
});

describe('periods', () => {
  it('are those of the clock that told the time, and weeks are ISO’s', () => {
    const week = (text: string): number => periodOf(at(text).time, 'weekly');
    expect(week('2026-01-01T00:00:00Z')).toBe(202601);
    expect(week('2027-01-03T23:59:59Z')).toBe(202653);
    expect(week('2024-12-30T00:00:00Z')).toBe(202501);
    expect(periodOf(at('2026-01-01T01:00:00+02:00').time, 'yearly')).toBe(2026);
    expect(periodOf(at('1969-12-31T23:59:59.9Z').time, 'hourly')).toBe(1969123123);
  });
});

describe('retention', () => {
  const days = ['01T01', '01T02', '02T01', '03T01', '03T02'].map((day) => at(`2026-05-${day}:00:00Z`));

  it('keeps everything by an empty policy, and knows one', () => {
    expect(isEmptyPolicy({})).toBe(true);
    expect(isEmptyPolicy({ last: 0, within: parseCalendarDuration('0h'), tags: [] })).toBe(true);
    expect(isEmptyPolicy({ last: 'unlimited' })).toBe(false);
    expect(isEmptyPolicy({ withinYearly: parseCalendarDuration('1h') })).toBe(false);
    expect(applyRetention(days, {}, now)).toMatchObject({ remove: [], keep: { length: 5 } });
    expect(applyRetention([], { last: 1 }, now)).toEqual({ keep: [], remove: [] });
  });

  it('tells every reason', () => {
    const kept = timesKept([...days, at('2025-05-01T00:00:00Z', 'a', 'b')], {
      last: 1,
      daily: 2,
      within: parseCalendarDuration('25h'),
      tags: [['a', 'b'], ['c']],
    });
    expect([...kept.values()]).toEqual([
      ['within 25h', 'last snapshot', 'daily snapshot'],
      ['within 25h'],
      ['daily snapshot'],
      ['has tags [a, b]'],
    ]);
  });

  it('keeps the oldest while a rule has not found enough', () => {
    expect([...timesKept(days, { daily: 5 }).values()]).toEqual([
      ['daily snapshot'],
      ['daily snapshot'],
      ['daily snapshot'],
      ['oldest daily snapshot'],
    ]);
  });

  it('looks back from the newest that is not from the future', () => {
    const kept = timesKept([...days, at('2026-07-01T00:00:00Z')], { within: parseCalendarDuration('1h') });
    expect(kept.size).toBe(2);
    const future = [at('2026-07-01T00:00:00Z'), at('2027-07-01T00:00:00Z')];
    expect(timesKept(future, { within: parseCalendarDuration('1h') }).size).toBe(2);
  });

  it('never keeps less by a rule more, and always the newest by any counting rule', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 1_700_000_000 }), { minLength: 1, maxLength: 40 });
    const count = fc.integer({ min: 0, max: 6 });
    fc.assert(
      fc.property(times, count, count, count, (seconds, last, daily, yearly) => {
        const snapshots = seconds.map((each) => ({
          time: { epochNs: BigInt(each) * 1_000_000_000n, offsetMinutes: 60 },
          tags: [],
        }));
        const less = timesKept(snapshots, { last, daily });
        const more = timesKept(snapshots, { last: last + 1, daily, yearly });
        for (const time of last + daily === 0 ? [] : less.keys()) expect(more.has(time)).toBe(true);
        const newest = BigInt(Math.max(...seconds)) * 1_000_000_000n;
        expect(more.has(newest)).toBe(true);
      }),
    );
  });
});

describe('groups', () => {
  it('do not depend on the order of paths and tags', () => {
    const snapshots = [
      { hostname: 'b', paths: ['/x', '/y'], tags: ['1', '2'] },
      { hostname: 'a', paths: ['/x'], tags: [] },
      { hostname: 'b', paths: ['/y', '/x'], tags: ['2', '1'] },
    ];
    const sizes = (...by: ('host' | 'paths' | 'tags')[]) =>
      groupSnapshots(snapshots, by).map((group) => group.snapshots.length);
    expect(sizes()).toEqual([3]);
    expect(sizes('host')).toEqual([1, 2]);
    expect(groupSnapshots(snapshots, ['paths', 'tags'])).toMatchObject([
      { hostname: undefined, paths: ['/x', '/y'], tags: ['1', '2'], snapshots: { length: 2 } },
      { paths: ['/x'], tags: [], snapshots: { length: 1 } },
    ]);
  });
});
