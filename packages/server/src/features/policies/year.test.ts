import type { EnvironmentId } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import {
  backup,
  calendar,
  environmentId,
  every,
  local,
  moment,
  timed,
} from '../../testing/policy-samples.ts';
import { dueSchedules, type Run, schedulesServedAt } from './due.ts';
import { retain } from './retention.ts';
import type { Schedule } from './schedule.ts';
import { defaultStartWindow, startFraction } from './start-offset.ts';
import type { RetainedBackup } from './verdict.ts';

const timezone = 'Europe/Berlin';
const sinceMs = moment(`2026-01-01T00:00[${timezone}]`);

/** A server that looks at its environment when told what time it is; each backup succeeds at once. */
class LivedEnvironment {
  readonly #schedules: readonly Schedule[];
  readonly #context;
  readonly runs: Run[] = [];
  backups: readonly RetainedBackup[] = [];

  constructor(id: EnvironmentId, schedules: readonly Schedule[]) {
    this.#schedules = schedules;
    this.#context = { calendar, fraction: startFraction(id), window: defaultStartWindow };
  }

  look(nowMs: number): void {
    const schedules = this.#schedules;
    if (dueSchedules(schedules, this.runs, nowMs, this.#context).length === 0) return;
    const madeFor = schedulesServedAt(nowMs, schedules, this.runs, this.#context);
    const made = backup(this.runs.length, { createdAtMs: nowMs, madeFor });
    this.runs.push({ createdAtMs: nowMs, finishedAtMs: nowMs, status: 'ready' });
    const backups = [...this.backups, made];
    const verdicts = retain({ backups, schedules, nowMs, calendar, maxBackups: null, manualCount: null });
    this.backups = backups.filter((_, place) => verdicts[place]?.kind === 'keep');
  }

  get days(): readonly string[] {
    return this.backups.map(({ createdAtMs }) => local(createdAtMs, timezone).slice(5, 10));
  }
}

function morningsOf2026(): readonly number[] {
  const zone = calendar.zone(timezone);
  const first = zone.dayOf(sinceMs);
  return Array.from({ length: 365 }, (_, day) => zone.momentOf(first + day, 6 * 3_600_000));
}

test('a year of a hundred environments: what is kept at its end', () => {
  const three = every('1d 7, 1w 4, 1M 12', { timezone, sinceMs });
  const weekly = timed(
    'weekly',
    { kind: 'weekly', hours: [2], weekdays: [1, 4] },
    { timezone, sinceMs, keepFor: '30d' },
  );
  const cron = timed('cron:db', { kind: 'cron', cron: '0 3 1,15 * *' }, { timezone, sinceMs });
  const schedulesOf = (number: number): readonly Schedule[] =>
    number % 10 === 0 ? [weekly] : number % 10 === 1 ? [cron] : three;
  const environments = Array.from(
    { length: 100 },
    (_, number) => new LivedEnvironment(environmentId(number), schedulesOf(number)),
  );
  for (const nowMs of morningsOf2026()) {
    for (const environment of environments) environment.look(nowMs);
  }
  for (const [number, { runs, days }] of environments.entries()) {
    if (number % 10 === 0) {
      // 53 Thursdays and 52 Mondays.
      expect(runs).toHaveLength(105);
      expect(days).toEqual(['12-03', '12-07', '12-10', '12-14', '12-17', '12-21', '12-24', '12-28', '12-31']);
    } else if (number % 10 === 1) {
      expect(runs).toHaveLength(24);
      expect(days).toHaveLength(24);
    } else {
      expect(runs).toHaveLength(365);
      expect(days).toEqual([
        ...[
          '01-01',
          '02-01',
          '03-01',
          '04-01',
          '05-01',
          '06-01',
          '07-01',
          '08-01',
          '09-01',
          '10-01',
          '11-01',
          '12-01',
        ],
        ...['12-07', '12-14', '12-21'],
        ...['12-25', '12-26', '12-27', '12-28', '12-29', '12-30', '12-31'],
      ]);
    }
  }
});

test('a clock that is a year ahead for one day stops nothing, and takes nothing away before its time', () => {
  const environment = new LivedEnvironment(environmentId(1), every('1d 7', { timezone, sinceMs }));
  for (const [day, nowMs] of morningsOf2026().slice(0, 60).entries()) {
    environment.look(day === 50 ? nowMs + 400 * 86_400_000 : nowMs);
    expect(environment.runs).toHaveLength(day + 1);
    expect(environment.backups).toHaveLength(Math.min(7, day + 1));
  }
  expect(environment.days).toEqual(['02-23', '02-24', '02-25', '02-26', '02-27', '02-28', '03-01']);
});

test('a clock that is behind for some days, in slots that were served, goes on with the first that was not', () => {
  const environment = new LivedEnvironment(environmentId(1), every('1d 7', { timezone, sinceMs }));
  const mornings = morningsOf2026();
  for (const nowMs of mornings.slice(0, 20)) environment.look(nowMs);
  for (const nowMs of mornings.slice(15, 20)) environment.look(nowMs);
  expect(environment.runs).toHaveLength(20);
  for (const nowMs of mornings.slice(20, 22)) environment.look(nowMs);
  expect(environment.days).toEqual(['01-16', '01-17', '01-18', '01-19', '01-20', '01-21', '01-22']);
});

test('a server that sleeps for a week takes one backup when it is back', () => {
  const environment = new LivedEnvironment(environmentId(1), every('1d 7, 1w 4', { timezone, sinceMs }));
  const mornings = morningsOf2026();
  for (const nowMs of [...mornings.slice(0, 10), ...mornings.slice(17, 20)]) environment.look(nowMs);
  expect(environment.days).toEqual([
    '01-01',
    '01-05',
    '01-07',
    '01-08',
    '01-09',
    '01-10',
    '01-18',
    '01-19',
    '01-20',
  ]);
});
