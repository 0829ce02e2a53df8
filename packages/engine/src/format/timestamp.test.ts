import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTimestamp, parseTimestamp } from './timestamp.ts';

describe('timestamps', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0n, 0],
    ['2015-01-02T18:10:50.895208559+01:00', 1420218650895208559n, 60],
    ['2015-01-02T18:10:50.8952+01:00', 1420218650895200000n, 60],
    ['1969-12-31T23:59:59.999999999Z', -1n, 0],
    ['1969-12-31T16:59:59.25-07:00', -750000000n, -420],
    ['0001-01-01T00:00:00Z', -62135596800000000000n, 0],
    ['9999-12-31T23:59:59.999999999Z', 253402300799999999999n, 0],
    ['2024-02-29T05:45:00+05:45', 1709164800000000000n, 345],
  ])('reads and writes %s as Go does', (text, epochNs, offsetMinutes) => {
    expect(parseTimestamp(text)).toEqual({ epochNs, offsetMinutes });
    expect(formatTimestamp({ epochNs, offsetMinutes })).toBe(text);
  });

  it.each([
    '',
    'yesterday',
    '2023-02-29T00:00:00Z',
    '2023-13-01T00:00:00Z',
    '2023-01-01T24:00:00Z',
    '2023-01-01T00:60:00Z',
    '2023-01-01 00:00:00Z',
    '2023-01-01T00:00:00',
    '2023-01-01T00:00:00.Z',
    '02023-01-01T00:00:00Z',
  ])('refuses %j', (text) => {
    expect(parseTimestamp(text)).toBeUndefined();
  });

  it('gives back every moment with every offset', () => {
    const year1 = -62135596800000000000n;
    const year9998 = 253370764800000000000n;
    fc.assert(
      fc.property(
        fc.bigInt(year1 + 10n ** 15n, year9998),
        fc.integer({ min: -840, max: 840 }),
        (epochNs, offsetMinutes) => {
          expect(parseTimestamp(formatTimestamp({ epochNs, offsetMinutes }))).toEqual({
            epochNs,
            offsetMinutes,
          });
        },
      ),
    );
  });
});
