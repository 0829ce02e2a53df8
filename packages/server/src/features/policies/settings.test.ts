import type { ProjectSettings, ProjectSettingsChange } from '@holdfast/protocol';
import { describe, expect, it, test } from 'vitest';
import { changedSettings, retentionOf } from './settings.ts';

const day = { interval: '1d', count: 7 };
const week = { interval: '1w', count: 4 };

describe('where nothing is set', () => {
  it('production is backed up daily and keeps two; others are not', () => {
    const nothing = { maxBackups: null, manualCount: null };
    expect(retentionOf({}, 'production')).toEqual({ ...nothing, intervals: [{ interval: '1d', count: 2 }] });
    expect(retentionOf({}, 'staging')).toEqual({ ...nothing, intervals: [] });
    expect(retentionOf({}, 'development')).toEqual({ ...nothing, intervals: [] });
  });

  it('a default stands beside what is set', () => {
    const settings = { data_retention: { production: { max_backups: 5 } } };
    expect(retentionOf(settings, 'production')).toMatchObject({ maxBackups: 5, intervals: [{ count: 2 }] });
  });

  it('an empty list is set, and means none', () => {
    const settings = { data_retention: { production: { default_config: { schedule: [] } } } };
    expect(retentionOf(settings, 'production').intervals).toEqual([]);
  });
});

describe('a change', () => {
  const settings: ProjectSettings = {
    data_retention: {
      production: { max_backups: 10, default_config: { manual_count: 1, schedule: [day, week] } },
      staging: { max_backups: 3 },
    },
  };
  const production = (change: NonNullable<ProjectSettingsChange['data_retention']>['production']) =>
    changedSettings(settings, { data_retention: { production: change } }).data_retention?.production;

  test.each<[string, Parameters<typeof production>[0], ReturnType<typeof production>]>([
    ['leaves what it does not name', {}, settings.data_retention?.production],
    [
      'replaces a value',
      { max_backups: 2 },
      { max_backups: 2, default_config: { manual_count: 1, schedule: [day, week] } },
    ],
    [
      'replaces a list as a whole',
      { default_config: { schedule: [week] } },
      { max_backups: 10, default_config: { manual_count: 1, schedule: [week] } },
    ],
    [
      'takes a number back',
      { max_backups: null },
      { default_config: { manual_count: 1, schedule: [day, week] } },
    ],
    [
      'takes a list back',
      { default_config: { schedule: null } },
      { max_backups: 10, default_config: { manual_count: 1 } },
    ],
    ['takes back all of the configuration', { default_config: null }, { max_backups: 10 }],
    ['takes back a type', null, undefined],
  ])('%s', (_, change, expected) => {
    expect(production(change)).toEqual(expected);
  });

  it('leaves nothing where all is back at its default, and changes nothing in place', () => {
    const before = structuredClone(settings);
    const change = {
      data_retention: {
        production: { max_backups: null, default_config: { manual_count: null, schedule: null } },
        staging: null,
      },
    };
    expect(changedSettings(settings, change)).toEqual({});
    expect(changedSettings(settings, {})).toEqual(before);
    expect(settings).toEqual(before);
  });
});
