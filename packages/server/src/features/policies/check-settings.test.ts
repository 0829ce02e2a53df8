import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type Checked,
  checkBackupPolicy,
  checkCronPolicy,
  checkSettings,
  checkSettingsChange,
} from './check-settings.ts';

function told(checked: Checked<unknown>): readonly string[] {
  return checked.kind === 'valid' ? [] : checked.faults.map(({ message, hint }) => `${message} ${hint}`);
}

function production(config: unknown): unknown {
  return { data_retention: { production: { default_config: config } } };
}

const schedulePath = 'data_retention.production.default_config.schedule';
const intervalHint =
  'Write a number from 1 to 9999 and a unit, h, d, w, M (months) or y: 12h, 1d, 4w, 6M or 1y, for example.';
const countHint = 'Write a whole number from 1 to 100000.';

describe('settings of a project', () => {
  it('are taken as they are', () => {
    const settings = {
      data_retention: {
        production: {
          max_backups: 10,
          default_config: {
            manual_count: 1,
            schedule: [
              { interval: '1d', count: 7 },
              { interval: '1w', count: 4 },
              { interval: '1M', count: 12 },
            ],
          },
        },
        staging: {},
        development: { default_config: { schedule: [] } },
      },
    };
    expect(checkSettings(settings)).toEqual({ kind: 'valid', settings });
    expect(checkSettings({})).toEqual({ kind: 'valid', settings: {} });
  });

  test.each([
    ['1x', 'is "1x": "x" is no unit.'],
    ['5m', 'is "5m": "m" is no unit.'],
    ['1D', 'is "1D": "D" is no unit.'],
    ['0d', 'is "0d": it is zero.'],
    ['-1d', 'is "-1d": it is negative.'],
    ['07d', 'is "07d": it begins with a zero.'],
    ['10000h', 'is "10000h": it is too large.'],
    ['7', 'is "7": it has no unit.'],
    ['d', 'is "d": it is no number with a unit.'],
    ['1.5d', 'is "1.5d": it is no number with a unit.'],
    ['', 'is "": it is no number with a unit.'],
    [7, 'is 7: it has to be a text.'],
    [null, 'is null: it has to be a text.'],
    [undefined, 'is missing.'],
  ])('have no interval %j', (interval, message) => {
    const value = production({ schedule: [{ interval, count: 1 }] });
    expect(told(checkSettings(value))).toEqual([`${schedulePath}[0].interval ${message} ${intervalHint}`]);
  });

  test.each([
    [0, 'is 0: it is zero.'],
    [-3, 'is -3: it is negative.'],
    [1.5, 'is 1.5: it is not whole.'],
    [100_001, 'is 100001: it is too large.'],
    [1e300, 'is 1e+300: it is too large.'],
    ['7', 'is "7": it has to be a number.'],
    [Number.NaN, 'is null: it is no number.'],
  ])('have no count %j', (count, message) => {
    const value = production({ schedule: [{ interval: '1d', count }] });
    expect(told(checkSettings(value))).toEqual([`${schedulePath}[0].count ${message} ${countHint}`]);
  });

  it('have nothing that nobody knows, and tell what may have been meant', () => {
    expect(
      told(
        checkSettings({
          data_retention: {
            Production: {},
            qa: {},
            staging: { maxBackups: 3, default_config: { manualcount: 1, schedules: [], nothing: 1 } },
          },
          retention: {},
        }),
      ),
    ).toEqual([
      'data_retention.staging.default_config.manualcount is no setting. Did you mean manual_count?',
      'data_retention.staging.default_config.schedules is no setting. Did you mean schedule?',
      'data_retention.staging.default_config.nothing is no setting. There are: manual_count, schedule.',
      'data_retention.staging.maxBackups is no setting. Did you mean max_backups?',
      'data_retention.Production is no type of environment. Did you mean production?',
      'data_retention.qa is no type of environment. There are: production, staging, development.',
      'retention is no setting. There are: data_retention.',
    ]);
  });

  it('have each interval once', () => {
    const day = { interval: '1d', count: 1 };
    const checked = checkSettings(production({ schedule: [day, { interval: '1w', count: 0 }, day] }));
    expect(told(checked)).toEqual([
      `${schedulePath}[1].count is 0: it is zero. ${countHint}`,
      `${schedulePath}[2].interval is "1d", as is [0]: an interval can stand once. Leave one of them out.`,
    ]);
  });

  it('have null in a change alone', () => {
    const change = { data_retention: { production: { max_backups: null }, staging: null } };
    expect(checkSettingsChange(change)).toEqual({ kind: 'valid', settings: change });
    expect(told(checkSettings(change))).toHaveLength(2);
    expect(told(checkSettingsChange({ data_retention: { staging: { max_bakups: 1 } } }))).toEqual([
      'data_retention.staging.max_bakups is no setting. Did you mean max_backups?',
    ]);
  });

  it('tell each fault with its code and its place', () => {
    expect(checkSettings(production({ manual_count: 0 }))).toEqual({
      kind: 'faulty',
      faults: [
        {
          code: 'settings-invalid',
          path: 'data_retention.production.default_config.manual_count',
          message: 'data_retention.production.default_config.manual_count is 0: it is zero.',
          hint: countHint,
        },
      ],
    });
    expect(told(checkSettings(7))[0]).toMatch(/^What was sent is 7: it has to be an object\./);
    expect(told(checkSettings(production({ schedule: {} })))[0]).toMatch(/ is \{\}: it has to be a list\./);
  });
});

describe('hours and weekdays', () => {
  const policy = { enabled: true, retention: 30, hours: [2], weekdays: [0, 6], timezone: 'Europe/Berlin' };

  it.each([
    policy,
    { ...policy, retention: '4w' },
    { enabled: true, retention: 1, every_hour: true, every_day: true },
    { enabled: false },
  ])('are taken: %j', (value) => {
    expect(checkBackupPolicy(value)).toEqual({
      kind: 'valid',
      settings: { every_hour: false, every_day: false, hours: [], weekdays: [], ...value },
    });
  });

  it.each([
    [
      { hours: [] },
      'backup_policy.hours has none, but the policy is enabled. Name some, or set every_hour to true.',
    ],
    [
      { weekdays: undefined },
      'backup_policy.weekdays has none, but the policy is enabled. Name some, or set every_day to true.',
    ],
    [
      { hours: [1, 24] },
      'backup_policy.hours[1] is 24: it is too large. Write a list of hours from 0 to 23.',
    ],
    [
      { weekdays: [-1] },
      'backup_policy.weekdays[0] is -1: it is negative. Write a list of weekdays from 0, which is Sunday, to 6.',
    ],
    [{ retention: 0 }, /^backup_policy.retention is 0: it is zero. Write a number of days/],
    [{ retention: '30' }, /^backup_policy.retention is "30": it has no unit./],
    [{ retention: true }, /^backup_policy.retention is true: it is of the wrong type./],
    [{ retention: undefined }, /^backup_policy.retention is missing./],
    [{ enabled: 'yes' }, /^backup_policy.enabled is "yes": it has to be true or false./],
    [{ every_hours: true }, 'backup_policy.every_hours is no setting. Did you mean every_hour?'],
    [
      { timezone: 'Europe/Berlim' },
      'backup_policy.timezone is "Europe/Berlim": there is no such time zone. Did you mean Europe/Berlin?',
    ],
    [{ timezone: '+02:00' }, /there is no such time zone. Write the name of a time zone/],
  ])('are refused: %j', (change, fault) => {
    const faults = told(checkBackupPolicy({ ...policy, ...change }));
    expect(faults).toEqual([typeof fault === 'string' ? fault : expect.stringMatching(fault)]);
  });
});

describe('a cron string', () => {
  it.each(['0 2 * * *', '*/30 0 2 * * MON-FRI', '@daily', '0 0 29 2 *', '0 0 L * *'])(
    'is taken: %s',
    (cron_string) => {
      const policy = { cron_string, timezone: 'America/New_York', retention: '30d' };
      expect(checkCronPolicy(policy)).toEqual({ kind: 'valid', settings: policy });
    },
  );

  it.each([
    ['0 0 30 2 *', 'cron_string is "0 0 30 2 *": that never comes.'],
    ['* * *', /^cron_string is "\* \* \*", which cannot be read: /],
    ['61 * * * *', /cannot be read/],
    ['2027-01-01T00:00:00', /cannot be read: it has a :/],
    ['? 2 * * *', /cannot be read: it has a \?/],
    ['@reboot', /cannot be read/],
    ['0 0 0 1 1 * 2027', /cannot be read/],
    ['', 'cron_string is "": it is empty.'],
  ])('is refused: %s', (cron_string, fault) => {
    expect(told(checkCronPolicy({ cron_string }))).toEqual([
      typeof fault === 'string' ? expect.stringContaining(fault) : expect.stringMatching(fault),
    ]);
  });
});

test('whatever is checked, nothing is thrown, and each fault has a place, a message and a hint', () => {
  const names = [
    'data_retention',
    'production',
    'default_config',
    'schedule',
    'interval',
    'count',
    'hours',
    'timezone',
    'cron_string',
    'enabled',
    'retention',
    '__proto__',
  ];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 6 },
      fc.jsonValue(),
      fc.constantFrom(undefined, '1d', '0x', 30, true, Number.NaN, '0 0 30 2 *', 'UTC'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('any')),
    ),
  })).any;
  fc.assert(
    fc.property(value, (each) => {
      for (const check of [checkSettings, checkSettingsChange, checkBackupPolicy, checkCronPolicy]) {
        const checked = check(each);
        if (checked.kind === 'valid') continue;
        expect(checked.faults.length).toBeGreaterThan(0);
        for (const { code, message, hint } of checked.faults) {
          expect(code).toBe('settings-invalid');
          expect(message).toMatch(/\.$/);
          expect(hint).not.toBe('');
        }
      }
    }),
    { numRuns: 500 },
  );
});
