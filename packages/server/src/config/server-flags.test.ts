import { expect, test } from 'vitest';
import { configKeyNames } from './config-keys.ts';
import { parseServerFlags, serverHelp } from './server-flags.ts';

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
