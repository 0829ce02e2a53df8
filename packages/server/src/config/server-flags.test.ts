import { expect, test } from 'vitest';
import { configKeyNames } from './config-keys.ts';
import { parseRebuildFlags, parseServerFlags, rebuildHelp, serverHelp } from './server-flags.ts';

test('every key of the configuration is a flag and stands in the help', () => {
  for (const name of configKeyNames) {
    expect(parseServerFlags([`--${name}`, 'x'])).toEqual({ want: 'run', flags: { [name]: 'x' } });
    expect(serverHelp()).toContain(`--${name} `);
  }
  expect(parseServerFlags(['--data=/d', '--help'])).toEqual({ want: 'help' });
});

test.each([[['--unknown', 'x']], [['extra']], [['--data']]])('refuses %j', (args) => {
  expect(() => parseServerFlags(args)).toThrow(expect.objectContaining({ code: 'usage-invalid' }));
});

test('a rebuild takes the flags of the server, and its own', () => {
  const flags = ['--vault', '/v', '--recovery-key-file', 'kit', '--format', 'json'];
  expect(parseRebuildFlags(flags)).toEqual({
    want: 'run',
    flags: { vault: '/v' },
    recoveryKeyFile: 'kit',
    asJson: true,
  });
  expect(parseRebuildFlags([])).toMatchObject({ recoveryKeyFile: undefined, asJson: false });
  expect(parseRebuildFlags(['-h'])).toEqual({ want: 'help' });
  expect(rebuildHelp()).toContain('--recovery-key-file FILE');
  const wrong = expect.objectContaining({ code: 'usage-invalid' });
  expect(() => parseRebuildFlags(['--format', 'csv'])).toThrow(wrong);
  expect(() => parseServerFlags(['--recovery-key-file', 'kit'])).toThrow(wrong);
});
