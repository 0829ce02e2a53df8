import { expect, test } from 'vitest';
import { labelDurationMs } from './label-duration.ts';

test.each([
  ['90s', 90_000],
  ['5m', 300_000],
  ['3d15h10m5s', 313_805_000],
  ['1h5s', 3_605_000],
])('%s is a duration', (text, milliseconds) => {
  expect(labelDurationMs(text)).toBe(milliseconds);
});

test.each(['', '0s', '5', 'm', '5s3m', '1.5h', '-1s', '5 m', '1w'])('"%s" is none', (text) => {
  expect(labelDurationMs(text)).toBeUndefined();
});
