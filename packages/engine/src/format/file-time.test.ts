import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type FileTime, formatFileTime, isBefore, parseFileTime, sameTime } from './file-time.ts';

const aTime = fc.record({
  seconds: fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }),
  nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
});

afterEach(() => vi.unstubAllEnvs());

describe('formatFileTime', () => {
  it.each<readonly [FileTime, string]>([
    [{ seconds: 0, nanoseconds: 0 }, '1970-01-01T00:00:00Z'],
    [{ seconds: -1, nanoseconds: 999_999_999 }, '1969-12-31T23:59:59.999999999Z'],
    [{ seconds: 1_795_227_787, nanoseconds: 585_136_710 }, '2026-11-21T02:23:07.58513671Z'],
    [{ seconds: 951_782_400, nanoseconds: 1 }, '2000-02-29T00:00:00.000000001Z'],
    [{ seconds: -62_167_219_200, nanoseconds: 0 }, '0000-01-01T00:00:00Z'],
    [{ seconds: 253_402_300_799, nanoseconds: 0 }, '9999-12-31T23:59:59Z'],
    [{ seconds: 253_402_300_800, nanoseconds: 0 }, '9999-01-01T00:00:00Z'],
    [{ seconds: -62_167_219_201, nanoseconds: 0 }, '0000-12-31T23:59:59Z'],
    // A leap day beyond the year 9999, which is no leap year.
    [{ seconds: 253_407_484_800, nanoseconds: 0 }, '9999-03-01T00:00:00Z'],
  ])('writes %j as %s', (time, text) => {
    expect(formatFileTime(time, 'utc')).toBe(text);
  });

  it('writes what Date writes, in UTC', () => {
    fc.assert(
      fc.property(aTime, (time) => {
        const expected = new Date(time.seconds * 1000).toISOString().slice(0, 19);
        expect(formatFileTime(time, 'utc').slice(0, 19)).toBe(expected);
      }),
    );
  });

  it.each([
    ['Europe/Berlin', 1_795_227_787, '2026-11-21T03:23:07+01:00'],
    ['Europe/Berlin', 1_750_000_000, '2025-06-15T17:06:40+02:00'],
    ['America/St_Johns', 1_795_227_787, '2026-11-20T22:53:07-03:30'],
    ['UTC', 1_795_227_787, '2026-11-21T02:23:07Z'],
  ])('writes the offset of %s', (zone, seconds, text) => {
    vi.stubEnv('TZ', zone);
    expect(formatFileTime({ seconds, nanoseconds: 0 }, 'local')).toBe(text);
  });

  it.each(['utc', 'local'] as const)('is undone by parseFileTime (%s)', (zone) => {
    vi.stubEnv('TZ', 'America/St_Johns');
    fc.assert(
      fc.property(aTime, (time) => {
        fc.pre(time.seconds > -62_167_000_000 && time.seconds < 253_402_200_000);
        expect(parseFileTime(formatFileTime(time, zone))).toEqual(time);
      }),
    );
  });
});

describe('parseFileTime', () => {
  it('drops digits beyond the nanosecond', () => {
    const nanoseconds = 123_456_789;
    expect(parseFileTime('1970-01-01T00:00:01.1234567899Z')).toEqual({ seconds: 1, nanoseconds });
  });

  it.each([
    '',
    'yesterday',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00+0100',
  ])('does not take %j for a time', (text) => {
    expect(parseFileTime(text)).toBeUndefined();
  });
});

it('compares times', () => {
  const [early, late] = [
    { seconds: -1, nanoseconds: 999_999_999 },
    { seconds: 0, nanoseconds: 0 },
  ];
  expect([isBefore(early, late), isBefore(late, early), isBefore(late, late)]).toEqual([true, false, false]);
  expect([sameTime(late, { ...late }), sameTime(early, late)]).toEqual([true, false]);
});
