import { describe, expect, it } from 'vitest';
import { atWindowStart, calendar, every, local, moment, timed } from '../../testing/policy-samples.ts';
import type { Run } from './due.ts';
import { missedSlots, nextRuns } from './next-runs.ts';
import type { Schedule } from './schedule.ts';

function run(at: string, status: Run['status'] = 'ready'): Run {
  return { createdAtMs: moment(at), finishedAtMs: moment(at), status };
}

describe('the next runs', () => {
  const told = (schedules: readonly Schedule[], runs: readonly Run[], now: string, count = 5) =>
    nextRuns(schedules, runs, moment(now), { ...atWindowStart, count }).map(
      ({ atMs, schedules: ids }) => `${local(atMs, schedules[0]?.timezone ?? 'UTC')} ${ids.join(' ')}`,
    );

  it('are told with the schedules that they are for, through a change of the clocks', () => {
    const schedules = every('1d, 1w, 1M', { timezone: 'Europe/Berlin' });
    expect(
      told(schedules, [run('2026-03-28T01:00[Europe/Berlin]')], '2026-03-28T12:00[Europe/Berlin]'),
    ).toEqual([
      '2026-03-29 01:00 +01:00 interval:1d',
      '2026-03-30 01:00 +02:00 interval:1d interval:1w',
      '2026-03-31 01:00 +02:00 interval:1d',
      '2026-04-01 01:00 +02:00 interval:1d interval:1M',
      '2026-04-02 01:00 +02:00 interval:1d',
    ]);
  });

  it('begin with what is due now, and with another attempt', () => {
    expect(told(every('1d'), [], '2026-06-02T12:00Z', 2)).toEqual([
      '2026-06-02 12:00 +00:00 interval:1d',
      '2026-06-03 01:00 +00:00 interval:1d',
    ]);
    expect(told(every('1d'), [run('2026-06-02T11:50Z', 'failed')], '2026-06-02T12:00Z', 1)).toEqual([
      '2026-06-02 12:05 +00:00 interval:1d',
    ]);
  });

  it('pass over a slot that a wrong clock has served already', () => {
    expect(
      told(every('1d'), [run('2026-06-01T01:00Z'), run('2026-06-02T01:00Z')], '2026-06-01T12:00Z', 1),
    ).toEqual(['2026-06-03 01:00 +00:00 interval:1d']);
  });

  it('are none without a schedule', () => {
    expect(told([], [], '2026-06-02T12:00Z')).toEqual([]);
    expect(
      told([timed('weekly', { kind: 'weekly', hours: [], weekdays: [] })], [], '2026-06-02T12:00Z'),
    ).toEqual([]);
  });
});

describe('missed slots', () => {
  const missed = (schedules: readonly Schedule[], runs: readonly Run[], from: string, now: string) =>
    missedSlots(schedules, runs, { fromMs: moment(from), nowMs: moment(now) }, { calendar }).map(
      ({ id, slot }) => `${id} ${local(slot.startMs, 'UTC')}`,
    );

  it('are those that ended while the server was away for a week', () => {
    expect(
      missed(every('1d, 1w'), [run('2026-06-02T01:00Z')], '2026-06-02T12:00Z', '2026-06-09T12:00Z'),
    ).toEqual([
      'interval:1d 2026-06-03 00:00 +00:00',
      'interval:1d 2026-06-04 00:00 +00:00',
      'interval:1d 2026-06-05 00:00 +00:00',
      'interval:1d 2026-06-06 00:00 +00:00',
      'interval:1d 2026-06-07 00:00 +00:00',
      'interval:1d 2026-06-08 00:00 +00:00',
    ]);
  });

  it('have a failed backup or none, and are not of before the schedule was set', () => {
    const runs = [run('2026-06-03T01:00Z', 'failed'), run('2026-06-04T01:00Z')];
    const set = every('1d', { sinceMs: moment('2026-06-02T12:00Z') });
    expect(missed(set, runs, '2026-05-01T00:00Z', '2026-06-05T12:00Z')).toEqual([
      'interval:1d 2026-06-03 00:00 +00:00',
    ]);
  });

  it('are none when the clock was set back, and no more than asked for', () => {
    expect(missed(every('1d'), [], '2027-01-01T00:00Z', '2026-06-05T12:00Z')).toEqual([]);
    const range = { fromMs: moment('2016-01-01T00:00Z'), nowMs: moment('2026-01-01T00:00Z') };
    expect(missedSlots(every('1h'), [], range, { calendar, limit: 7 })).toHaveLength(7);
  });
});
