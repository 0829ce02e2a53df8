import { expect, test } from 'vitest';
import { expiryOf } from './expiry.ts';

test.each([
  ['2026-03-28T12:00:00.500Z', '1h', '2026-03-28T13:00:00.500Z'],
  ['2026-03-28T12:00:00.500Z', '30d', '2026-04-27T12:00:00.500Z'],
  ['2026-12-30T00:00:00.000Z', '2w', '2027-01-13T00:00:00.000Z'],
  ['2026-01-31T10:00:00.000Z', '1M', '2026-02-28T10:00:00.000Z'],
  ['2028-01-31T10:00:00.000Z', '1M', '2028-02-29T10:00:00.000Z'],
  ['2026-08-31T10:00:00.000Z', '6M', '2027-02-28T10:00:00.000Z'],
  ['2026-11-15T10:00:00.000Z', '14M', '2028-01-15T10:00:00.000Z'],
  ['2028-02-29T10:00:00.000Z', '1y', '2029-02-28T10:00:00.000Z'],
])('%s and %s end at %s', (start, retention, end) => {
  expect(new Date(expiryOf(Date.parse(start), retention)).toISOString()).toBe(end);
});

test.each(['', '0d', '30', 'd', '1.5d', '-1d', '1m', '100000d'])('refuses %j', (retention) => {
  expect(() => expiryOf(0, retention)).toThrow(expect.objectContaining({ code: 'usage-invalid' }));
});
