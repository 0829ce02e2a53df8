import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { calendar, every, moment, slotStarts, timed } from '../../testing/policy-samples.ts';
import type { Schedule } from './schedule.ts';
import { contains, slotAfter } from './slot.ts';

describe('an interval', () => {
  test.each([
    {
      what: 'days where an hour is skipped',
      every: '1d',
      from: '2026-03-28T12:00[Europe/Berlin]',
      starts: ['2026-03-28 00:00 +01:00', '2026-03-29 00:00 +01:00', '2026-03-30 00:00 +02:00'],
    },
    {
      what: 'days where an hour comes twice',
      every: '1d',
      from: '2026-11-01T23:59[America/New_York]',
      starts: ['2026-11-01 00:00 -04:00', '2026-11-02 00:00 -05:00'],
    },
    {
      what: 'a day whose midnight is skipped',
      every: '1d',
      from: '2017-10-14T12:00[America/Sao_Paulo]',
      starts: ['2017-10-14 00:00 -03:00', '2017-10-15 01:00 -02:00', '2017-10-16 00:00 -02:00'],
    },
    {
      what: 'a day whose midnight is skipped, on a Friday',
      every: '1d',
      from: '2026-04-23T12:00[Africa/Cairo]',
      starts: ['2026-04-23 00:00 +02:00', '2026-04-24 01:00 +03:00', '2026-04-25 00:00 +03:00'],
    },
    {
      what: 'a day whose midnight comes twice',
      every: '1d',
      from: '2026-11-01T12:00[America/Havana]',
      starts: ['2026-11-01 00:00 -04:00', '2026-11-02 00:00 -05:00'],
    },
    {
      what: 'a day that never was',
      every: '1d',
      from: '2011-12-29T12:00[Pacific/Apia]',
      starts: ['2011-12-29 00:00 -10:00', '2011-12-31 00:00 +14:00', '2012-01-01 00:00 +14:00'],
    },
    {
      what: 'every third day, from 3 January 2000',
      every: '3d',
      from: '2000-01-05T12:00[Europe/Berlin]',
      starts: ['2000-01-03 00:00 +01:00', '2000-01-06 00:00 +01:00', '2000-01-09 00:00 +01:00'],
    },
    {
      what: 'weeks from Mondays',
      every: '1w',
      from: '2026-03-29T12:00[Europe/Berlin]',
      starts: ['2026-03-23 00:00 +01:00', '2026-03-30 00:00 +02:00', '2026-04-06 00:00 +02:00'],
    },
    {
      what: 'every second week, from 3 January 2000',
      every: '2w',
      from: '2026-01-07T12:00[Europe/Berlin]',
      starts: ['2025-12-29 00:00 +01:00', '2026-01-12 00:00 +01:00'],
    },
    {
      what: 'months, through a leap day',
      every: '1M',
      from: '2028-01-31T23:59[Australia/Lord_Howe]',
      starts: [
        '2028-01-01 00:00 +11:00',
        '2028-02-01 00:00 +11:00',
        '2028-03-01 00:00 +11:00',
        '2028-04-01 00:00 +11:00',
      ],
    },
    {
      what: 'every fifth month, from January 2000',
      every: '5M',
      from: '1999-12-31T12:00[UTC]',
      starts: ['1999-08-01 00:00 +00:00', '2000-01-01 00:00 +00:00', '2000-06-01 00:00 +00:00'],
    },
    {
      what: 'every third year, from 2000',
      every: '3y',
      from: '2026-06-01T12:00[UTC]',
      starts: ['2024-01-01 00:00 +00:00', '2027-01-01 00:00 +00:00'],
    },
    {
      what: 'six hours on a day of 25: the last hour is of the last six',
      every: '6h',
      from: '2026-10-25T00:30[Europe/Berlin]',
      starts: [
        '2026-10-25 00:00 +02:00',
        '2026-10-25 05:00 +01:00',
        '2026-10-25 11:00 +01:00',
        '2026-10-25 17:00 +01:00',
        '2026-10-26 00:00 +01:00',
      ],
    },
    {
      what: 'six hours on a day of 23: the last are five',
      every: '6h',
      from: '2026-03-08T00:30[America/New_York]',
      starts: [
        '2026-03-08 00:00 -05:00',
        '2026-03-08 07:00 -04:00',
        '2026-03-08 13:00 -04:00',
        '2026-03-08 19:00 -04:00',
        '2026-03-09 00:00 -04:00',
      ],
    },
    {
      what: 'an hour on a day that is half an hour longer: half is not less than half',
      every: '1h',
      from: '2026-04-05T22:10[Australia/Lord_Howe]',
      starts: [
        '2026-04-05 21:30 +10:30',
        '2026-04-05 22:30 +10:30',
        '2026-04-05 23:30 +10:30',
        '2026-04-06 00:00 +10:30',
      ],
    },
    {
      what: 'two hours on a day that is half an hour longer',
      every: '2h',
      from: '2026-04-05T20:10[Australia/Lord_Howe]',
      starts: ['2026-04-05 19:30 +10:30', '2026-04-05 21:30 +10:30', '2026-04-06 00:00 +10:30'],
    },
    {
      what: 'a whole day of hours',
      every: '24h',
      from: '2026-10-25T12:00[Europe/Berlin]',
      starts: ['2026-10-25 00:00 +02:00', '2026-10-26 00:00 +01:00'],
    },
    {
      what: 'hours that do not divide a day run on through a change of the clocks',
      every: '5h',
      from: '2000-03-26T00:00[Europe/Berlin]',
      starts: ['2000-03-25 22:00 +01:00', '2000-03-26 04:00 +02:00', '2000-03-26 09:00 +02:00'],
    },
  ])('is of $what', ({ every: interval, from, starts }) => {
    const timezone = /\[(.*)\]/.exec(from)?.[1] ?? 'UTC';
    expect(slotStarts(one(every(interval, { timezone })), from, starts.length)).toEqual(starts);
  });
});

describe('chosen hours of chosen weekdays', () => {
  const weekly = (hours: readonly number[], weekdays: readonly number[], timezone: string): Schedule =>
    timed('weekly', { kind: 'weekly', hours, weekdays }, { timezone });

  it('begin slots by the wall clock', () => {
    expect(
      slotStarts(weekly([2, 14], [1, 5], 'Europe/Berlin'), '2026-03-24T00:00[Europe/Berlin]', 6),
    ).toEqual([
      '2026-03-23 14:00 +01:00',
      '2026-03-27 02:00 +01:00',
      '2026-03-27 14:00 +01:00',
      '2026-03-30 02:00 +02:00',
      '2026-03-30 14:00 +02:00',
      '2026-04-03 02:00 +02:00',
    ]);
  });

  it('come at the first moment after what the clocks skip, as one with an hour that begins there', () => {
    const starts = slotStarts(weekly([1, 2, 3], [0], 'Europe/Berlin'), '2026-03-29T01:30[Europe/Berlin]', 3);
    expect(starts).toEqual(['2026-03-29 01:00 +01:00', '2026-03-29 03:00 +02:00', '2026-04-05 01:00 +02:00']);
    expect(
      slotStarts(weekly([2], [0], 'Australia/Lord_Howe'), '2026-10-04T12:00[Australia/Lord_Howe]', 1),
    ).toEqual(['2026-10-04 02:30 +11:00']);
    expect(
      slotStarts(weekly([0], [0], 'America/Sao_Paulo'), '2017-10-15T12:00[America/Sao_Paulo]', 1),
    ).toEqual(['2017-10-15 01:00 -02:00']);
    expect(slotStarts(weekly([5], [5], 'Pacific/Apia'), '2011-12-31T02:00[Pacific/Apia]', 2)).toEqual([
      '2011-12-31 00:00 +14:00',
      '2012-01-06 05:00 +14:00',
    ]);
  });

  it('come once where the hour comes twice: the first time', () => {
    const starts = slotStarts(
      weekly([1], [0, 1], 'America/New_York'),
      '2026-11-01T12:00[America/New_York]',
      2,
    );
    expect(starts).toEqual(['2026-11-01 01:00 -04:00', '2026-11-02 01:00 -05:00']);
  });

  it('have no slots where nothing is chosen', () => {
    expect(calendar.slotsOf(weekly([], [1], 'UTC'))(0)).toBeNull();
    expect(calendar.slotsOf(weekly([1], [], 'UTC'))(0)).toBeNull();
  });
});

describe('a cron string', () => {
  const cron = (text: string, timezone = 'UTC'): Schedule =>
    timed('cron:db', { kind: 'cron', cron: text }, { timezone });

  it.each([
    [
      '0 3 * * 1-5',
      '2026-03-27T12:00[Europe/Berlin]',
      ['2026-03-27 03:00 +01:00', '2026-03-30 03:00 +02:00'],
    ],
    ['30 2 * * *', '2026-03-28T12:00[Europe/Berlin]', ['2026-03-28 02:30 +01:00', '2026-03-29 03:00 +02:00']],
    ['@daily', '2026-03-28T12:00[Europe/Berlin]', ['2026-03-28 00:00 +01:00', '2026-03-29 00:00 +01:00']],
    ['0 0 29 2 *', '2026-01-01T00:00[UTC]', ['2024-02-29 00:00 +00:00', '2028-02-29 00:00 +00:00']],
    ['0 0 L * *', '2026-02-28T00:00[UTC]', ['2026-02-28 00:00 +00:00', '2026-03-31 00:00 +00:00']],
    [
      '*/30 * * * * *',
      '2026-02-28T00:00:30.999[UTC]',
      ['2026-02-28 00:00 +00:00', '2026-02-28 00:01 +00:00'],
    ],
  ])('begins slots at its moments: %s', (text, from, starts) => {
    const timezone = /\[(.*)\]/.exec(from)?.[1] ?? 'UTC';
    expect(slotStarts(cron(text, timezone), from, starts.length)).toEqual(starts);
  });

  it('begins a slot at its very moment', () => {
    const slotAt = calendar.slotsOf(cron('0 3 * * *'));
    const startMs = moment('2026-01-02T03:00Z');
    expect(slotAt(startMs)?.startMs).toBe(startMs);
    expect(slotAt(startMs - 1)?.endMs).toBe(startMs);
  });
});

test('slots follow each other without gaps, in every zone and through every change of the clocks', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
    'Africa/Cairo',
    'America/Havana',
  ];
  const schedules = zones.flatMap((timezone) => [
    ...every('1h, 6h, 5h, 24h, 1d, 3d, 1w, 2w, 1M, 5M, 1y', { timezone }),
    timed('weekly', { kind: 'weekly', hours: [0, 2, 23], weekdays: [0, 3, 5] }, { timezone }),
    timed('cron:db', { kind: 'cron', cron: '15 */7 * * 0,3' }, { timezone }),
  ]);
  fc.assert(
    fc.property(
      fc.constantFrom(...schedules),
      fc.integer({ min: moment('1999-01-01T00:00Z'), max: moment('2040-01-01T00:00Z') }),
      (schedule, ms) => {
        const slotAt = calendar.slotsOf(schedule);
        const slot = slotAt(ms);
        if (slot === null) throw new Error('no slot');
        expect(contains(slot, ms)).toBe(true);
        expect(slotAt(slot.startMs)).toEqual(slot);
        expect(slotAt(slot.endMs - 1)).toEqual(slot);
        expect(slotAt(slot.startMs - 1)?.endMs).toBe(slot.startMs);
        expect(slotAfter(slotAt, slot)?.startMs).toBe(slot.endMs);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a span is added by the calendar', () => {
  const zone = calendar.zone('Europe/Berlin');
  const after = (text: string, count: number, unit: 'h' | 'd' | 'w' | 'M' | 'y'): number =>
    zone.after(moment(text), { count, unit });
  expect(after('2026-03-28T12:00[Europe/Berlin]', 1, 'd')).toBe(moment('2026-03-29T12:00[Europe/Berlin]'));
  expect(after('2026-03-28T12:00[Europe/Berlin]', 24, 'h')).toBe(moment('2026-03-29T13:00[Europe/Berlin]'));
  expect(after('2026-10-20T12:00[Europe/Berlin]', 1, 'w')).toBe(moment('2026-10-27T12:00[Europe/Berlin]'));
  expect(after('2028-01-31T12:00[Europe/Berlin]', 1, 'M')).toBe(moment('2028-02-29T12:00[Europe/Berlin]'));
  expect(after('2028-02-29T12:00[Europe/Berlin]', 1, 'y')).toBe(moment('2029-02-28T12:00[Europe/Berlin]'));
});

function one(schedules: readonly Schedule[]): Schedule {
  const [schedule] = schedules;
  if (schedule === undefined) throw new Error('no schedule');
  return schedule;
}
