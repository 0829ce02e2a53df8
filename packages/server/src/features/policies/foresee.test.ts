import { describe, expect, it } from 'vitest';
import {
  atWindowStart,
  backup,
  backupId,
  every,
  local,
  moment,
  timed,
} from '../../testing/policy-samples.ts';
import { type ForeseeInput, foresee } from './foresee.ts';
import { dayMs } from './time-zone.ts';

const now = moment('2026-06-02T12:00Z');

function told(set: Partial<ForeseeInput>): readonly string[] {
  const input = { backups: [], schedules: [], runs: [], maxBackups: null, manualCount: null, nowMs: now };
  return foresee({ ...input, ...atWindowStart, ...set }).events.map((event) => {
    const when = local(event.atMs, 'UTC').slice(5, 16);
    const id = event.id.replace(/^bak_0*/, '');
    return event.kind === 'taken'
      ? `${when} ${id} for ${event.schedules.join(' ')}`
      : `${when} ${id} removed: ${event.rule.rule}`;
  });
}

describe('what is foreseen', () => {
  it('is what is taken and for what, and what goes and why', () => {
    const schedules = every('1d 2, 1w 1', { sinceMs: now });
    expect(told({ schedules, days: 7 })).toEqual([
      '06-03 01:00 foreseen-1 for interval:1d interval:1w',
      '06-04 01:00 foreseen-2 for interval:1d',
      '06-05 01:00 foreseen-3 for interval:1d',
      '06-06 01:00 foreseen-4 for interval:1d',
      '06-06 01:00 foreseen-2 removed: schedules',
      '06-07 01:00 foreseen-5 for interval:1d',
      '06-07 01:00 foreseen-3 removed: schedules',
      '06-08 01:00 foreseen-6 for interval:1d interval:1w',
      '06-08 01:00 foreseen-1 removed: schedules',
      '06-08 01:00 foreseen-4 removed: schedules',
      '06-09 01:00 foreseen-7 for interval:1d',
      '06-09 01:00 foreseen-5 removed: schedules',
    ]);
  });

  it('begins with what is too much already, and has what ends at a date', () => {
    const backups = [
      backup(1, { kind: 'manual', createdAtMs: now, expiresAtMs: now - 1 }),
      backup(2, { kind: 'manual', createdAtMs: now, expiresAtMs: moment('2026-06-05T08:00Z') }),
      backup(3, { kind: 'safety', createdAtMs: now, expiresAtMs: moment('2026-06-05T09:00Z') }),
      backup(4, { kind: 'manual', createdAtMs: now }),
      backup(5, { status: 'failed', createdAtMs: now }),
    ];
    expect(told({ backups, days: 60 })).toEqual([
      '06-02 12:00 1 removed: own-retention',
      '06-05 08:00 2 removed: own-retention',
      '06-05 09:00 3 removed: own-retention',
    ]);
  });

  it('keeps the last good one until there is another', () => {
    const weekly = timed(
      'weekly',
      { kind: 'weekly', hours: [2], weekdays: [1] },
      { keepFor: '2d', sinceMs: now },
    );
    const backups = [backup(1, { createdAtMs: now - 1, madeFor: null })];
    expect(told({ backups, schedules: [weekly], days: 15 })).toEqual([
      '06-08 02:00 foreseen-1 for weekly',
      '06-08 02:00 1 removed: schedules',
      '06-15 02:00 foreseen-2 for weekly',
      '06-15 02:00 foreseen-1 removed: schedules',
    ]);
  });

  it('has at its end what is kept, with the ends from there on', () => {
    const { backups, verdicts } = foresee({
      ...{ backups: [], runs: [], maxBackups: null, manualCount: null, nowMs: now },
      ...atWindowStart,
      schedules: every('1d 3', { sinceMs: now }),
    });
    expect(backups.map(({ createdAtMs }) => local(createdAtMs, 'UTC'))).toEqual([
      '2026-07-01 01:00 +00:00',
      '2026-07-02 01:00 +00:00',
      '2026-07-03 01:00 +00:00',
    ]);
    expect(verdicts.map(({ kind }) => kind)).toEqual(['keep', 'keep', 'keep']);
  });

  it('is what the ends of verdicts say', () => {
    const input = {
      ...{ backups: [], runs: [], maxBackups: null, manualCount: null, nowMs: now },
      ...atWindowStart,
      schedules: every('1d 3, 1w 2, 1M 2', { sinceMs: now }),
    };
    const { backups, verdicts } = foresee({ ...input, days: 90 });
    const runs = backups.map(({ createdAtMs }) => ({
      ...{ createdAtMs, finishedAtMs: createdAtMs },
      status: 'ready' as const,
    }));
    // Names stand twice otherwise.
    const later = backups.map((each, index) => ({ ...each, id: backupId(index) }));
    const { events } = foresee({ ...input, backups: later, runs, nowMs: now + 90 * dayMs, days: 90 });
    for (const [index, verdict] of verdicts.entries()) {
      if (verdict.kind === 'remove' || verdict.end.kind !== 'replaced') throw new Error('not by number');
      const { by, afterNext } = verdict.end;
      if (by.kind !== 'schedule') throw new Error('not by a schedule');
      const removal = events.findIndex(({ kind, id }) => kind === 'removed' && id === backupId(index));
      const replacements = events
        .slice(0, removal)
        .filter((event) => event.kind === 'taken' && event.schedules.includes(by.schedule));
      expect(replacements).toHaveLength(afterNext);
    }
  });

  it('is nothing without a schedule, and changes nothing that it was given', () => {
    const backups = [backup(1, { createdAtMs: now })];
    expect(told({ backups })).toEqual([]);
    expect(backups).toHaveLength(1);
  });
});
