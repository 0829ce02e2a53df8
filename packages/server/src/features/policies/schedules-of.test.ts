import { expect, test } from 'vitest';
import { scheduleOfCron, schedulesOfIntervals, schedulesOfPolicy } from './schedules-of.ts';

const origin = { timezone: 'Europe/Berlin', sinceMs: 5 };

test('intervals are schedules that keep a number', () => {
  expect(schedulesOfIntervals([{ interval: '12h', count: 3 }], origin)).toEqual([
    {
      id: 'interval:12h',
      timing: { kind: 'interval', every: { count: 12, unit: 'h' } },
      timezone: 'Europe/Berlin',
      keep: { kind: 'count', count: 3 },
      sinceMs: 5,
    },
  ]);
});

test('hours and weekdays are one schedule, which keeps for a time', () => {
  const policy = {
    enabled: true,
    retention: 30,
    every_hour: false,
    every_day: true,
    hours: [14, 2, 2],
    weekdays: [],
  };
  const schedule = {
    id: 'weekly',
    timing: { kind: 'weekly', hours: [2, 14], weekdays: [0, 1, 2, 3, 4, 5, 6] },
    timezone: 'Europe/Berlin',
    keep: { kind: 'for', duration: { count: 30, unit: 'd' } },
    sinceMs: 5,
  };
  expect(schedulesOfPolicy(policy, origin)).toEqual([schedule]);
  expect(schedulesOfPolicy({ ...policy, retention: '30d', timezone: 'UTC' }, origin)).toEqual([
    { ...schedule, timezone: 'UTC' },
  ]);
  expect(schedulesOfPolicy({ ...policy, enabled: false }, origin)).toEqual([]);
});

test('a cron string is the schedule of a component, which keeps for a time or for ever', () => {
  const policy = { cron_string: '@daily', retention: '1y', timezone: 'UTC' };
  expect(scheduleOfCron('db', policy, origin)).toEqual({
    id: 'cron:db',
    timing: { kind: 'cron', cron: '@daily' },
    timezone: 'UTC',
    keep: { kind: 'for', duration: { count: 1, unit: 'y' } },
    sinceMs: 5,
  });
  expect(scheduleOfCron('db', { cron_string: '@daily' }, origin)).toMatchObject({
    timezone: 'Europe/Berlin',
    keep: { kind: 'forever' },
  });
});
