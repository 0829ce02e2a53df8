import { describe, expect, it, test } from 'vitest';
import { backup, backupId, calendar, every, moment, timed } from '../../testing/policy-samples.ts';
import { type RetentionInput, replacedByNextManual, retain } from './retention.ts';
import { dayMs } from './time-zone.ts';
import type { KeepVerdict, RetainedBackup, Verdict } from './verdict.ts';

const now = moment('2026-06-30T12:00Z');

type Fields = Partial<RetainedBackup> & { readonly at?: string };

/** The backups of a test, in the order in which they were made, and what is set; each is kept unless told otherwise. */
function given(rows: readonly Fields[], set: Partial<Omit<RetentionInput, 'backups'>> = {}): RetentionInput {
  const backups = rows.map(({ at, ...fields }, index) =>
    backup(index + 1, { createdAtMs: at === undefined ? now : moment(`2026-${at}Z`), ...fields }),
  );
  return { backups, schedules: [], maxBackups: null, manualCount: null, nowMs: now, calendar, ...set };
}

function told(verdict: Verdict): string {
  if (verdict.kind === 'remove') return `- ${verdict.rule.rule}`;
  const names = verdict.rules.map((rule) =>
    rule.rule === 'schedule' ? rule.schedule.replace('interval:', '') : rule.rule,
  );
  return `+ ${names.join(' ')}`;
}

function verdicts(input: RetentionInput): readonly string[] {
  return retain(input).map(told);
}

function ends(input: RetentionInput): readonly string[] {
  return retain(input).map((verdict) => (verdict.kind === 'remove' ? 'now' : endOf(verdict)));
}

function endOf({ end }: KeepVerdict): string {
  switch (end.kind) {
    case 'none':
      return 'never';
    case 'date':
      return new Date(end.atMs).toISOString().slice(0, 10);
    case 'replaced':
      return `${end.afterNext} ${end.by.kind === 'schedule' ? end.by.schedule : end.by.kind}`;
  }
}

const manual = { kind: 'manual' } as const;

describe('manual backups', () => {
  it('are kept until somebody deletes them', () => {
    const input = given([manual, manual]);
    expect(verdicts(input)).toEqual(['+ until-deleted', '+ until-deleted']);
    expect(ends(input)).toEqual(['never', 'never']);
  });

  it('are kept as long as they say, and so many of them', () => {
    const rows = [
      manual,
      { ...manual, expiresAtMs: now },
      { ...manual, expiresAtMs: now + dayMs },
      manual,
      manual,
    ];
    const input = given(rows, { manualCount: 3 });
    expect(verdicts(input)).toEqual([
      '- manual-count',
      '- own-retention',
      '+ own-retention manual-count',
      '+ manual-count',
      '+ manual-count',
    ]);
    expect(ends(input)).toEqual(['now', 'now', '2026-07-01', '2 manual', '3 manual']);
  });

  it('go when the next one is ready, not before', () => {
    const running = { ...manual, status: 'running' } as const;
    expect(verdicts(given([manual, running], { manualCount: 1 }))).toEqual([
      '+ manual-count',
      '+ unfinished',
    ]);
    for (const bad of [{ status: 'failed' }, { status: 'damaged' }, { isDoubtful: true }] as const) {
      expect(verdicts(given([manual, { ...manual, ...bad }], { manualCount: 1 }))[0]).toBe('+ manual-count');
    }
    expect(verdicts(given([manual, manual], { manualCount: 1 }))).toEqual([
      '- manual-count',
      '+ manual-count',
    ]);
  });
});

describe('automated backups by numbers', () => {
  const daily = [
    { at: '06-26T01:00' },
    { at: '06-27T01:00' },
    { at: '06-28T01:00' },
    { at: '06-28T13:00' },
    { at: '06-29T01:00' },
    { at: '06-30T01:00' },
  ];

  it('are the first of each of the newest slots that have any', () => {
    const input = given(daily, { schedules: every('1d 3') });
    expect(verdicts(input)).toEqual(['- schedules', '- schedules', '+ 1d', '- schedules', '+ 1d', '+ 1d']);
    expect(ends(input)).toEqual(['now', 'now', '1 interval:1d', 'now', '2 interval:1d', '3 interval:1d']);
  });

  it('are kept if any schedule keeps them, for as long as that is', () => {
    const rows = [{ at: '04-30T01:00' }, { at: '05-31T01:00' }, { at: '06-01T01:00' }, ...daily];
    const input = given(rows, { schedules: every('1d 2, 1w 3, 1M 2') });
    expect(verdicts(input)).toEqual([
      '- schedules',
      '+ 1M',
      '+ 1w 1M',
      '+ 1w',
      ...['- schedules', '- schedules', '- schedules'],
      '+ 1d 1w',
      '+ 1d',
    ]);
    expect(ends(input).filter((end) => end !== 'now')).toEqual([
      '1 interval:1M',
      '2 interval:1M',
      '2 interval:1w',
      '3 interval:1w',
      '2 interval:1d',
    ]);
  });

  it('are ranked by the order in which they were made, when the clock is set back or forward', () => {
    const rows = [{ at: '06-28T01:00' }, { at: '12-30T01:00' }, { at: '06-29T01:00' }, { at: '06-30T01:00' }];
    expect(verdicts(given(rows, { schedules: every('1d 2') }))).toEqual([
      '- schedules',
      '- schedules',
      '+ 1d',
      '+ 1d',
    ]);
    expect(verdicts(given(rows.slice(0, 3), { schedules: every('1d 2') }))).toEqual([
      '- schedules',
      '+ 1d',
      '+ 1d',
    ]);
  });

  it.each(['failed', 'cancelled', 'damaged', 'running'] as const)(
    'are not pushed out by one that is %s',
    (status) => {
      const rows = [{ at: '06-28T01:00' }, { at: '06-29T01:00' }, { at: '06-30T01:00', status }];
      expect(verdicts(given(rows, { schedules: every('1d 2') })).slice(0, 2)).toEqual(['+ 1d', '+ 1d']);
    },
  );

  it('are not pushed out by doubtful, safety or imported ones', () => {
    for (const other of [{ isDoubtful: true }, { kind: 'safety' }, { kind: 'imported' }] as const) {
      const rows = [{ at: '06-29T01:00' }, { at: '06-30T01:00', ...other }];
      expect(verdicts(given(rows, { schedules: every('1d 1') }))[0]).toBe('+ 1d');
    }
  });

  it('are kept as they are when no schedule is set any more', () => {
    expect(verdicts(given(daily))).toEqual(daily.map(() => '+ no-schedule'));
    expect(ends(given(daily))).toEqual(daily.map(() => 'never'));
  });

  it('stay as long as they say, if no schedule keeps them longer', () => {
    const rows = [
      { at: '06-27T01:00', expiresAtMs: now },
      { at: '06-28T01:00', expiresAtMs: now + dayMs },
      { at: '06-29T01:00', expiresAtMs: now },
      { at: '06-30T01:00' },
    ];
    expect(verdicts(given(rows, { schedules: every('1d 2') }))).toEqual([
      '- own-retention',
      '+ own-retention',
      '+ 1d',
      '+ 1d',
    ]);
    expect(verdicts(given(rows))).toEqual([
      '- own-retention',
      '+ own-retention',
      '- own-retention',
      '+ no-schedule',
    ]);
  });
});

describe('automated backups for a time', () => {
  const weekly = timed(
    'weekly',
    { kind: 'weekly', hours: [2, 14], weekdays: [0, 1, 2, 3, 4, 5, 6] },
    { keepFor: '1M' },
  );
  const rows = [{ at: '05-30T11:59' }, { at: '05-30T12:00' }, { at: '05-30T12:01' }, { at: '06-30T02:00' }];

  it('are kept until it is over, by the calendar', () => {
    const input = given(rows, { schedules: [weekly] });
    expect(verdicts(input)).toEqual(['- schedules', '- schedules', '+ weekly', '+ weekly']);
    expect(ends(input)).toEqual(['now', 'now', '2026-06-30', '2026-07-30']);
  });

  it('have their own retention instead, where they have one', () => {
    const own = [{ ...rows[0], expiresAtMs: now + dayMs }, { ...rows[2], expiresAtMs: now }, rows[3] ?? {}];
    expect(verdicts(given(own, { schedules: [weekly] })).slice(0, 2)).toEqual([
      '+ own-retention',
      '- own-retention',
    ]);
  });

  it('do not keep what was made for other schedules', () => {
    const both = { schedules: [weekly, ...every('1h 1')] };
    const made = (...ids: readonly string[]): Fields => ({
      at: '06-29T02:00',
      madeFor: ids as unknown as RetainedBackup['madeFor'],
    });
    const others = [made('interval:1h'), made('weekly', 'interval:1h'), made('gone'), {}];
    expect(retain(given(others, both)).map(({ kind }) => kind)).toEqual(['remove', 'keep', 'keep', 'keep']);
  });

  it('are kept for ever where no time is set', () => {
    const cron = timed('cron:db', { kind: 'cron', cron: '@daily' });
    expect(ends(given(rows, { schedules: [cron] }))).toEqual(['never', 'never', 'never', 'never']);
  });
});

describe('the number of all backups', () => {
  it('takes away the oldest of what the other rules leave', () => {
    const rows = [manual, { at: '06-27T01:00' }, manual, { at: '06-28T01:00' }, { at: '06-29T01:00' }];
    const input = given(rows, { schedules: every('1d 2'), maxBackups: 3 });
    expect(verdicts(input)).toEqual(['- max-backups', '- schedules', '+ until-deleted', '+ 1d', '+ 1d']);
    expect(ends(input)).toEqual(['now', 'now', '1 good', '1 interval:1d', '2 interval:1d']);
  });

  it('is a cap where it is less than the schedules keep', () => {
    const rows = [{ at: '06-27T01:00' }, { at: '06-28T01:00' }, { at: '06-29T01:00' }];
    const input = given(rows, { schedules: every('1d 7'), maxBackups: 2 });
    expect(verdicts(input)).toEqual(['- max-backups', '+ 1d', '+ 1d']);
    expect(ends(input)).toEqual(['now', '1 good', '2 good']);
  });

  it('counts nothing that is pinned, failed, safety or imported, and removes none of them', () => {
    const rows = [
      { ...manual, isPinned: true },
      { kind: 'safety', expiresAtMs: now + dayMs },
      { kind: 'imported' },
      { status: 'failed' },
      manual,
    ] as const;
    expect(verdicts(given(rows, { maxBackups: 1 })).every((each) => each.startsWith('+'))).toBe(true);
  });
});

describe('the last good backup', () => {
  const partial = { isWhole: false };

  it.each([
    ['its own retention', [{ ...manual, expiresAtMs: now - 1 }], {}],
    [
      'the end of its time',
      [{ at: '01-01T00:00' }],
      { schedules: [timed('weekly', { kind: 'weekly', hours: [1], weekdays: [1] }, { keepFor: '1d' })] },
    ],
  ] as const)('outlives %s', (_, rows, set) => {
    expect(verdicts(given(rows, set))).toEqual(['+ last-good']);
    expect(ends(given(rows, set))).toEqual(['1 good']);
    const replaced = given([...rows, { ...manual, status: 'queued' }, { ...manual, status: 'failed' }], set);
    expect(verdicts(replaced)[0]).toBe('+ last-good');
    expect(verdicts(given([...rows, manual], set))[0]).toMatch(/^-/);
  });

  it('is the last of all components too', () => {
    const rows = [
      { at: '06-01T01:00' },
      { at: '06-02T01:00' },
      { at: '06-29T01:00', ...partial },
      { at: '06-30T01:00', ...partial },
    ];
    expect(verdicts(given(rows, { schedules: every('1d 1') }))).toEqual([
      '- schedules',
      '+ last-good',
      '- schedules',
      '+ 1d',
    ]);
    expect(verdicts(given(rows, { maxBackups: 1 }))).toEqual([
      '- max-backups',
      '+ no-schedule',
      '- max-backups',
      '+ no-schedule',
    ]);
  });

  it('is not taken for replaced by an imported one', () => {
    const rows = [
      { ...manual, expiresAtMs: now },
      { kind: 'imported', expiresAtMs: now },
    ] as const;
    expect(verdicts(given(rows))).toEqual(['+ last-good', '+ last-good']);
  });
});

describe('what is not good', () => {
  const failedAt = (at: string): Fields => ({ at, status: 'failed' });

  it('and failed, goes after 30 days, once a newer one is good', () => {
    const rows = [failedAt('05-31T12:00'), failedAt('05-31T12:01'), manual, failedAt('05-01T00:00')];
    expect(verdicts(given(rows))).toEqual(['- failed', '+ failed', '+ until-deleted', '+ failed']);
    expect(ends(given(rows))).toEqual(['now', '2026-06-30', 'never', '1 good']);
  });

  it.each([{ status: 'damaged' }, { isDoubtful: true }] as const)(
    'and automated (%j), goes when good ones would have replaced a good one',
    (bad) => {
      const rows: Fields[] = [{ at: '06-27T01:00', ...bad }, { at: '06-28T01:00' }, { at: '06-29T01:00' }];
      const set = { schedules: every('1d 3') };
      expect(verdicts(given(rows, set))).toEqual(['+ not-made-up-for', '+ 1d', '+ 1d']);
      expect(ends(given(rows, set))[0]).toBe('1 interval:1d');
      expect(verdicts(given([...rows, { at: '06-30T01:00' }], set))[0]).toBe('- schedules');
      expect(verdicts(given(rows.slice(0, 1), set))).toEqual(['+ not-made-up-for']);
      expect(verdicts(given(rows))[0]).toBe('+ no-schedule');
      expect(verdicts(given([{ ...rows[0], expiresAtMs: now }, ...rows.slice(1)], set))[0]).toBe(
        '- own-retention',
      );
      expect(verdicts(given([{ ...rows[0], expiresAtMs: now }], set))[0]).toBe('+ not-made-up-for');
    },
  );

  it('and manual, goes by its own rules, once a newer one is good', () => {
    const damaged = { ...manual, status: 'damaged' } as const;
    expect(verdicts(given([damaged]))).toEqual(['+ not-made-up-for']);
    expect(verdicts(given([{ ...damaged, expiresAtMs: now }]))).toEqual(['+ not-made-up-for']);
    expect(verdicts(given([{ ...damaged, expiresAtMs: now }, {}]))[0]).toBe('- own-retention');
    expect(verdicts(given([damaged, {}], { manualCount: 1 }))[0]).toBe('+ manual-count');
    expect(verdicts(given([damaged, manual], { manualCount: 1 }))[0]).toBe('- manual-count');
    expect(verdicts(given([damaged, {}]))[0]).toBe('+ until-deleted');
  });
});

describe('others', () => {
  test.each([
    ['imported', null, '+ until-deleted'],
    ['imported', now + 1, '+ own-retention'],
    ['imported', now, '- own-retention'],
    ['safety', now + 1, '+ own-retention'],
    ['safety', now, '- own-retention'],
  ] as const)('%s, until %j', (kind, expiresAtMs, verdict) => {
    expect(verdicts(given([{ kind, expiresAtMs }, manual, { kind: 'imported' }]))[0]).toBe(verdict);
  });

  it('a pin keeps from every rule, and takes no place of another', () => {
    const pinned = { isPinned: true };
    const rows = [
      { ...manual, ...pinned, expiresAtMs: 1 },
      { at: '01-01T01:00', status: 'failed', ...pinned },
      { at: '06-29T01:00' },
      { at: '06-30T01:00', ...pinned },
    ] as const;
    const set = { schedules: every('1d 1'), manualCount: 1, maxBackups: 1 };
    expect(verdicts(given(rows, set))).toEqual(['+ pinned', '+ pinned', '+ 1d', '+ pinned']);
  });
});

describe('what the next manual backup replaces', () => {
  const replaced = (rows: readonly Fields[], set: Partial<RetentionInput>, isWhole = true) =>
    replacedByNextManual(given(rows, set), { isWhole }).map(({ id, rule }) => [id, rule.rule]);

  it('is told before', () => {
    const rows = [{ at: '05-01T00:00', status: 'failed' }, manual, { at: '06-30T01:00' }, manual] as const;
    expect(replaced(rows, { manualCount: 2 })).toEqual([[backupId(2), 'manual-count']]);
    expect(replaced(rows, { manualCount: 3 })).toEqual([]);
    expect(replaced(rows, { maxBackups: 3 })).toEqual([[backupId(2), 'max-backups']]);
    expect(replaced([], { manualCount: 1 })).toEqual([]);
  });

  it('is also what was only kept as the last good one, unless the next is not of all components', () => {
    const rows = [{ ...manual, expiresAtMs: now }];
    expect(replaced(rows, {})).toEqual([[backupId(1), 'own-retention']]);
    expect(replaced(rows, {}, false)).toEqual([]);
  });
});
