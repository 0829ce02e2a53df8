import type { BackupStatus } from '@holdfast/protocol';
import { describe, expect, it, test } from 'vitest';
import { atWindowStart, every, moment, timed } from '../../testing/policy-samples.ts';
import { dueSchedules, type Run, schedulesServedAt } from './due.ts';
import type { Schedule } from './schedule.ts';

function run(at: string, status: BackupStatus = 'ready'): Run {
  const createdAtMs = moment(at);
  return { createdAtMs, finishedAtMs: createdAtMs, status };
}

function dueAt(at: string, schedules: readonly Schedule[], runs: readonly Run[]): readonly string[] {
  return dueSchedules(schedules, runs, moment(at), atWindowStart).map(({ id }) => id);
}

const daily = every('1d');

describe('a schedule', () => {
  test.each([
    ['before the start of its slot', '2026-06-02T00:59Z', [], false],
    ['at the start', '2026-06-02T01:00Z', [], true],
    ['at the end of the slot', '2026-06-02T23:59:59Z', [], true],
    ['after a backup in the slot', '2026-06-02T12:00Z', [run('2026-06-02T01:00Z')], false],
    [
      'after a backup in the slot, but before its start',
      '2026-06-02T12:00Z',
      [run('2026-06-02T00:00Z')],
      false,
    ],
    ['after a backup in the slot before', '2026-06-02T12:00Z', [run('2026-06-01T23:59Z')], true],
    ['while a backup runs', '2026-06-02T12:00Z', [run('2026-06-02T01:00Z', 'running')], false],
    [
      'after a backup that is damaged by now',
      '2026-06-02T12:00Z',
      [run('2026-06-02T01:00Z', 'damaged')],
      false,
    ],
    ['after one that was cancelled', '2026-06-02T12:00Z', [run('2026-06-02T01:00Z', 'cancelled')], true],
  ] as const)('%s: at %s', (_, at, runs, isDue) => {
    expect(dueAt(at, daily, runs)).toEqual(isDue ? ['interval:1d'] : []);
  });

  it('starts nothing at once: in the slot that it was set in, only what was still to come', () => {
    const set = every('1d', { sinceMs: moment('2026-06-02T11:30Z') });
    expect(dueAt('2026-06-02T12:00Z', set, [])).toEqual([]);
    expect(dueAt('2026-06-03T12:00Z', set, [])).toEqual(['interval:1d']);
    const beforeItsStart = every('1d', { sinceMs: moment('2026-06-02T00:30Z') });
    expect(dueAt('2026-06-02T12:00Z', beforeItsStart, [])).toEqual(['interval:1d']);
  });

  it('is of the time zone that it names', () => {
    const berlin = every('1d', { timezone: 'Europe/Berlin' });
    expect(dueAt('2026-06-01T22:59Z', berlin, [run('2026-05-31T23:00Z')])).toEqual([]);
    expect(dueAt('2026-06-01T23:00Z', berlin, [run('2026-05-31T23:00Z')])).toEqual(['interval:1d']);
  });

  it('shares a backup with others', () => {
    const three = every('1d, 1w, 1M');
    // A Monday, the first of June.
    expect(dueAt('2026-06-01T01:00Z', three, [])).toEqual(['interval:1d', 'interval:1w', 'interval:1M']);
    expect(dueAt('2026-06-02T01:00Z', three, [run('2026-06-01T01:00Z')])).toEqual(['interval:1d']);
    const at = moment('2026-06-01T00:10Z');
    const hourly = [...every('1h'), ...three];
    expect(dueAt('2026-06-01T00:10Z', hourly, [])).toEqual(['interval:1h']);
    expect(schedulesServedAt(at, hourly, [], atWindowStart)).toEqual(hourly.map(({ id }) => id));
    expect(schedulesServedAt(at, hourly, [run('2026-06-01T00:00Z')], atWindowStart)).toEqual([]);
  });

  it('is made up for once, when the server was away for a week', () => {
    const runs = [run('2026-06-01T01:00Z')];
    expect(dueAt('2026-06-09T17:00Z', every('1d, 1w'), runs)).toEqual(['interval:1d', 'interval:1w']);
    expect(dueAt('2026-06-09T17:30Z', every('1d, 1w'), [...runs, run('2026-06-09T17:00Z')])).toEqual([]);
    expect(dueAt('2026-06-10T01:00Z', every('1d, 1w'), [...runs, run('2026-06-09T17:00Z')])).toEqual([
      'interval:1d',
    ]);
  });

  it('begins at chosen hours and by a cron string', () => {
    const weekly = timed('weekly', { kind: 'weekly', hours: [2, 14], weekdays: [1] });
    const cron = timed('cron:db', { kind: 'cron', cron: '0 14 * * *' });
    expect(dueAt('2026-06-01T13:59Z', [weekly, cron], [run('2026-06-01T02:00Z')])).toEqual([]);
    expect(dueAt('2026-06-01T14:00Z', [weekly, cron], [run('2026-06-01T02:00Z')])).toEqual([
      'weekly',
      'cron:db',
    ]);
  });
});

describe('a clock that was wrong', () => {
  it('was ahead by a year and is set back: the next slots are as ever', () => {
    const runs = [run('2026-06-01T01:00Z'), run('2027-06-02T01:00Z')];
    expect(dueAt('2026-06-02T01:00Z', every('1d, 1w, 1M'), runs)).toEqual(['interval:1d']);
  });

  it('was ahead when the schedule was set', () => {
    const set = every('1d', { sinceMs: moment('2027-06-02T12:00Z') });
    expect(dueAt('2026-06-02T01:00Z', set, [])).toEqual(['interval:1d']);
  });

  it('is set back within a slot: the slot was served', () => {
    expect(dueAt('2026-06-02T01:30Z', daily, [run('2026-06-02T20:00Z')])).toEqual([]);
  });

  it('was ahead when a backup failed: the next attempt does not wait for that time', () => {
    expect(dueAt('2026-06-02T02:00Z', daily, [run('2026-06-02T20:00Z', 'failed')])).toEqual(['interval:1d']);
  });

  it('was behind and is set forward: only the slot of now is due', () => {
    expect(dueAt('2026-06-02T12:00Z', daily, [run('2019-01-01T01:00Z')])).toEqual(['interval:1d']);
  });
});

describe('a backup that failed', () => {
  const failed = (...times: readonly string[]): readonly Run[] =>
    times.map((time) => run(`2026-06-02T${time}Z`, 'failed'));

  test.each([
    [['01:00'], '01:14', null],
    [['01:00'], '01:15', 2],
    [['01:00', '01:15'], '02:14', null],
    [['01:00', '01:15'], '02:15', 3],
    [['01:00', '01:15', '02:15'], '06:14', null],
    [['01:00', '01:15', '02:15'], '06:15', 4],
    [['01:00', '01:15', '02:15', '06:15'], '23:59', null],
    // In another slot, and before the start: not attempts of this one.
    [['00:30', '00:40', '00:50'], '01:00', 1],
    [['22:00', '23:30'], '23:59', null],
  ] as const)('at %j: at %s, the next attempt is %j', (times, at, attempt) => {
    const due = dueSchedules(daily, failed(...times), moment(`2026-06-02T${at}Z`), atWindowStart);
    expect(due.map((each) => each.attempt)).toEqual(attempt === null ? [] : [attempt]);
  });

  it('is tried again so long after its end, and as ever in the next slot', () => {
    const long: Run = {
      createdAtMs: moment('2026-06-02T01:00Z'),
      finishedAtMs: moment('2026-06-02T09:00Z'),
      status: 'failed',
    };
    expect(dueAt('2026-06-02T09:14Z', daily, [long])).toEqual([]);
    expect(dueAt('2026-06-02T09:15Z', daily, [long])).toEqual(['interval:1d']);
    const all = failed('01:00', '01:15', '02:15', '06:15');
    expect(dueAt('2026-06-03T01:00Z', daily, all)).toEqual(['interval:1d']);
  });
});
