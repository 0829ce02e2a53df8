import { describe, expect, it } from 'vitest';
import { doneShare, type ProgressState, progressBarText, progressText } from './progress-state.ts';

const mebibyte = 1024 * 1024;
const half: ProgressState = {
  label: 'reading files',
  files: 1_234,
  filesTotal: 5_000,
  bytes: 50 * mebibyte,
  bytesTotal: 100 * mebibyte,
};

describe('how far it is', () => {
  it('goes by bytes, else by files, else is unknown', () => {
    expect(doneShare(half)).toBe(0.5);
    expect(doneShare({ ...half, bytesTotal: 0, bytes: 0 })).toBeCloseTo(0.2468);
    expect(doneShare({ ...half, bytesTotal: null, filesTotal: null })).toBeNull();
    expect(doneShare({ ...half, bytes: 200 * mebibyte })).toBe(1);
  });
});

it('says files, bytes, rate and time left, as far as they are known', () => {
  expect(progressText(half, 10 * mebibyte)).toBe(
    'reading files  1,234 of 5,000 files  50.0 MiB of 100 MiB  10.0 MiB/s  5 s left',
  );
  expect(progressText({ ...half, filesTotal: null, bytesTotal: null }, undefined)).toBe(
    'reading files  1,234 files  50.0 MiB',
  );
  expect(progressText({ ...half, files: 0, filesTotal: null, bytes: 0, bytesTotal: null }, 0)).toBe(
    'reading files',
  );
  expect(progressText({ ...half, unit: 'pack', bytes: 0, bytesTotal: null }, 0)).toBe(
    'reading files  1,234 of 5,000 packs',
  );
  expect(progressText(half, mebibyte / 60)).toContain('50 min 00 s left');
});

it('has a bar that fits, and none where there is no room for one', () => {
  const figures = ' 50%  1,234 of 5,000 files  50.0 MiB of 100 MiB';
  const bar = (width: number) => progressBarText(half, { bytesPerSecond: undefined, width });
  expect(bar(120)).toBe(`reading files  ████████████░░░░░░░░░░░░ ${figures}`);
  expect(bar(75)).toBe(`reading files  ██████░░░░░░ ${figures}`);
  for (let width = 72; width < 110; width += 1) expect(bar(width).length).toBeLessThanOrEqual(width);
  expect(bar(60)).toBe(`reading files  ${figures}`);
});

it('is at 100 % only in the end', () => {
  const almost = progressBarText(
    { ...half, bytes: 100 * mebibyte - 1 },
    { bytesPerSecond: undefined, width: 100 },
  );
  expect(almost).toContain(' 99%');
});
