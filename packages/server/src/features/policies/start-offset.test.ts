import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  atWindowStart,
  calendar,
  environmentId,
  every,
  local,
  moment,
  timed,
} from '../../testing/policy-samples.ts';
import type { Schedule } from './schedule.ts';
import { defaultStartWindow, startFraction, startOf } from './start-offset.ts';

function startIn(schedule: Schedule | undefined, at: string, fraction: number): string {
  const slot = schedule && calendar.slotsOf(schedule)(moment(at));
  if (!slot) throw new Error('no slot');
  return local(startOf(schedule, slot, { ...atWindowStart, fraction }), schedule.timezone);
}

test('each environment has a place of its own, for ever', () => {
  expect(startFraction(environmentId(1))).toBe(startFraction(environmentId(1)));
  const fractions = Array.from({ length: 1000 }, (_, number) => startFraction(environmentId(number)));
  expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...fractions)).toBeLessThan(1);
  const quarters = [0, 1, 2, 3].map(
    (quarter) => fractions.filter((each) => Math.floor(each * 4) === quarter).length,
  );
  for (const count of quarters) expect(count).toBeGreaterThan(200);
});

test.each([
  ['1d', '2026-06-01T12:00[Europe/Berlin]', 0, '2026-06-01 01:00 +02:00'],
  ['1d', '2026-06-01T12:00[Europe/Berlin]', 0.5, '2026-06-01 03:00 +02:00'],
  ['1w', '2026-06-03T12:00[Europe/Berlin]', 0.5, '2026-06-01 03:00 +02:00'],
  ['1M', '2026-06-30T12:00[Europe/Berlin]', 0.5, '2026-06-01 03:00 +02:00'],
  ['1y', '2026-06-30T12:00[Europe/Berlin]', 0.5, '2026-01-01 03:00 +01:00'],
  // 02:30 is skipped, and comes twice.
  ['1d', '2026-03-29T12:00[Europe/Berlin]', 0.375, '2026-03-29 03:30 +02:00'],
  ['1d', '2026-03-29T12:00[Europe/Berlin]', 0.75, '2026-03-29 04:00 +02:00'],
  ['1d', '2026-10-25T12:00[Europe/Berlin]', 0.375, '2026-10-25 02:30 +02:00'],
  ['1d', '2026-10-25T12:00[Europe/Berlin]', 0.75, '2026-10-25 04:00 +01:00'],
  // Midnight is skipped: the day begins at 01:00.
  ['1d', '2017-10-15T12:00[America/Sao_Paulo]', 0, '2017-10-15 01:00 -02:00'],
  ['1h', '2026-06-01T12:10[UTC]', 0.5, '2026-06-01 12:07 +00:00'],
  ['12h', '2026-06-01T12:10[UTC]', 0.5, '2026-06-01 13:30 +00:00'],
  ['24h', '2026-06-01T12:10[UTC]', 0.5, '2026-06-01 02:00 +00:00'],
])('%s in the slot of %s, at %d of the window, starts at %s', (interval, at, fraction, start) => {
  const timezone = /\[(.*)\]/.exec(at)?.[1] ?? 'UTC';
  expect(startIn(every(interval, { timezone })[0], at, fraction)).toBe(start);
});

test('chosen hours and cron strings are kept near', () => {
  const weekly = timed('weekly', { kind: 'weekly', hours: [2], weekdays: [1] });
  expect(startIn(weekly, '2026-06-01T12:00Z', 0.8)).toBe('2026-06-01 02:12 +00:00');
  const cron = timed('cron:db', { kind: 'cron', cron: '*/20 * * * *' });
  expect(startIn(cron, '2026-06-01T12:05Z', 0.8)).toBe('2026-06-01 12:04 +00:00');
});

test('a start lies in its slot, whatever the window', () => {
  const schedules = ['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe'].flatMap(
    (timezone) => [
      ...every('1h, 5h, 12h, 1d, 2w, 1M, 1y', { timezone }),
      timed('weekly', { kind: 'weekly', hours: [0, 1, 2, 23], weekdays: [0, 6] }, { timezone }),
      timed('cron:db', { kind: 'cron', cron: '* * * * * *' }, { timezone }),
    ],
  );
  fc.assert(
    fc.property(
      fc.record({
        schedule: fc.constantFrom(...schedules),
        ms: fc.integer({ min: moment('2015-01-01T00:00Z'), max: moment('2030-01-01T00:00Z') }),
        fraction: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fromMinutes: fc.integer({ min: 0, max: 3000 }),
        lengthMs: fc.integer({ min: 0, max: 200_000_000 }),
      }),
      ({ schedule, ms, fraction, fromMinutes, lengthMs }) => {
        const slot = calendar.slotsOf(schedule)(ms);
        if (slot === null) throw new Error('no slot');
        const window = { ...defaultStartWindow, fromMinutes, lengthMs };
        const start = startOf(schedule, slot, { calendar, fraction, window });
        expect(start).toBeGreaterThanOrEqual(slot.startMs);
        expect(start).toBeLessThan(slot.endMs);
        expect(Number.isInteger(start)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
