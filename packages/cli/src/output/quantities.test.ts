import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumberOf,
  formatSpan,
  formatTime,
} from './quantities.ts';

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [102_348, '99.9 KiB'],
  [102_400, '100 KiB'],
  [1024 * 1024 - 1, '1.0 MiB'],
  [3 * 1024 ** 4, '3.0 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it.each([
  [0, '0.0 s'],
  [420, '0.4 s'],
  [9_949, '9.9 s'],
  [9_950, '10 s'],
  [59_400, '59 s'],
  [59_600, '1 min 00 s'],
  [185_000, '3 min 05 s'],
  [3_600_000, '1 h 00 min'],
  [7_800_000, '2 h 10 min'],
])('%d ms are %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

it.each([
  [-5, '1 min'],
  [59_000, '1 min'],
  [3_599_000, '59 min'],
  [47.9 * 3_600_000, '47 h'],
  [48 * 3_600_000, '2 days'],
  [1_500 * 86_400_000, '1,500 days'],
])('a span of %d ms is %s', (durationMs, text) => {
  expect(formatSpan(durationMs)).toBe(text);
});

it('counts with commas and plurals', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567');
  expect(formatNumberOf(1, 'file')).toBe('1 file');
  expect(formatNumberOf(0, 'file')).toBe('0 files');
  expect(formatNumberOf(2, 'copy', 'copies')).toBe('2 copies');
});

describe('local time', () => {
  it('is the same moment, with its offset', () => {
    const timeMs = Date.UTC(2026, 10, 21, 2, 17, 2, 400);
    const text = formatTime(timeMs);
    expect(text).toMatch(/^2026-11-2\dT\d\d:17:02[+-]\d\d:\d\d$|^2026-11-2\dT\d\d:\d\d:02[+-]\d\d:\d\d$/);
    expect(Date.parse(text)).toBe(timeMs - 400);
  });
});
