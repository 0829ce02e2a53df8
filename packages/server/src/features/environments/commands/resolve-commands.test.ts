import type { CommandLabels } from '@holdfast/docker';
import { describe, expect, test } from 'vitest';
import type { SurveyedMount } from '../survey.ts';
import { changeSettings } from './change-settings.ts';
import { withoutCovered } from './covered-mounts.ts';
import { resolveCommands } from './resolve-commands.ts';

function labels(change: Partial<CommandLabels> = {}): CommandLabels {
  return {
    preset: undefined,
    backup: { command: undefined, timeout: undefined, cron: undefined },
    restore: { command: undefined, timeout: undefined },
    retention: undefined,
    ...change,
  };
}

describe('the commands of a component', () => {
  test('are none without labels and settings', () => {
    const { commands, warnings } = resolveCommands('db', labels());
    expect(commands).toMatchObject({ backup: undefined, restore: undefined });
    expect(warnings).toEqual([]);
  });

  test('are what labels say; what was set beats them, field by field', () => {
    const said = labels({
      backup: { command: 'dump', timeout: '90s', cron: '0 3 * * *' },
      restore: { command: 'load', timeout: undefined },
      retention: '30d',
    });
    const { commands } = resolveCommands('db', said, { backup: { timeout: '1d1s' } });
    expect(commands.backup).toMatchObject({ command: 'dump', timeoutMs: 86_401_000 });
    expect(commands.integration).toEqual({
      preset: null,
      backup: { command: 'dump', timeout: '1d1s', cron_string: '0 3 * * *' },
      restore: { command: 'load', timeout: '6h' },
      retention: '30d',
    });
    expect(resolveCommands('db', said, { preset: 'postgres' }).commands.backup?.command).toContain('pg_dump');
  });

  test('come from a preset; a command beside it beats that', () => {
    const said = labels({
      preset: 'postgres',
      backup: { command: 'my-dump', timeout: undefined, cron: undefined },
    });
    const { backup, restore } = resolveCommands('db', said).commands;
    expect(backup).toMatchObject({ command: 'my-dump', endPattern: null });
    expect(restore?.command).toContain('psql');
  });

  test('labels that cannot be followed are told', () => {
    const said = labels({
      preset: 'oracle',
      backup: { command: 'dump', timeout: 'an hour', cron: undefined },
    });
    const { commands, warnings } = resolveCommands('db', said);
    expect(commands.backup).toMatchObject({ command: 'dump', timeoutMs: 6 * 3_600_000 });
    expect(warnings).toEqual([
      'There is no preset oracle. (component db)',
      '"an hour" is no duration as in 90s or 1h30m. (component db)',
    ]);
  });
});

describe('a change of settings', () => {
  const settings = { preset: 'postgres', backup: { command: 'a', timeout: '1h' }, retention: '30d' };

  test('sets, leaves and takes back', () => {
    expect(changeSettings(settings, { backup: { command: 'b' } })).toEqual({
      ...settings,
      backup: { command: 'b', timeout: '1h' },
      restore: {},
    });
    expect(changeSettings(settings, { preset: null, backup: { timeout: null } })).toEqual({
      backup: { command: 'a' },
      restore: {},
      retention: '30d',
    });
    expect(changeSettings(settings, { backup: null })).toMatchObject({ preset: 'postgres', backup: {} });
    expect(changeSettings(settings, null)).toEqual({});
  });

  test('to a preset that there is not is refused', () => {
    expect(() => changeSettings({}, { preset: 'oracle' })).toThrow('There is no preset');
  });
});

test('a mount that only components with a backup command use is left to those', () => {
  const byCommand = resolveCommands('db', labels({ preset: 'postgres' })).commands;
  const commands = new Map([['db', byCommand]]);
  const mount = (components: string[], isChosen = false): SurveyedMount => ({
    mount: {
      name: 'data',
      source: { kind: 'anonymous', name: 'x' },
      mountPoints: components.map((component) => ({ component, path: '/data', readOnly: false })),
      included: true,
      reason: 'anonymous volume',
    },
    described: { isChosen } as SurveyedMount['described'],
  });
  const included = (each: SurveyedMount) => withoutCovered([each], commands)[0]?.mount.included;
  expect(included(mount(['db']))).toBe(false);
  expect(included(mount(['db', 'web']))).toBe(true);
  expect(included(mount(['db'], true))).toBe(true);
  expect(included(mount([]))).toBe(true);
});
