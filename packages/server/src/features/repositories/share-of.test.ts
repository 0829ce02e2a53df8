import { expect, test } from 'vitest';
import { shareOf } from './service.ts';

test('as many movers as may run at once keep to the limit together', () => {
  expect(shareOf({ uploadBytesPerSecond: 1_000_000 }, 3)).toEqual({ uploadBytesPerSecond: 333_333 });
  expect(shareOf({ uploadBytesPerSecond: 1_000_000 }, 1)).toEqual({ uploadBytesPerSecond: 1_000_000 });
});

test('a limit below one byte for each still lets something through', () => {
  expect(shareOf({ uploadBytesPerSecond: 10 }, 64)).toEqual({ uploadBytesPerSecond: 1 });
});

test('what has no limit gets none', () => {
  expect(shareOf({}, 2)).toEqual({});
  expect(shareOf(undefined, 2)).toBeUndefined();
});
