import { expect, test } from 'vitest';
import { CliCommand } from '../../command/cli-command.ts';
import { limitsOf, type PlaceOptions, placeOptions } from './vault-options.ts';

function limitsIn(...words: readonly string[]): ReturnType<typeof limitsOf> {
  const command = placeOptions(new CliCommand());
  return limitsOf(command.parse(words, { from: 'user' }).opts<PlaceOptions>());
}

test('limits are sizes; `none` takes one back; one that is not named stays', () => {
  expect(limitsIn('--limit-upload', '5M', '--capacity', '1G')).toEqual({
    uploadBytesPerSecond: 5 * 2 ** 20,
    capacityBytes: 2 ** 30,
  });
  expect(limitsIn('--limit-upload', 'none', '--capacity', 'none')).toEqual({
    uploadBytesPerSecond: null,
    capacityBytes: null,
  });
  expect(limitsIn()).toEqual({});
});
