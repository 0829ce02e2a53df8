import type { Progress } from '@holdfast/protocol';
import { expect, test } from 'vitest';
import { PhaseProgress, sum } from './phase-progress.ts';

function phase() {
  const time = { nowMs: 0 };
  const reports: Progress[] = [];
  const clock = { now: () => time.nowMs, elapsed: () => time.nowMs };
  return { time, reports, progress: new PhaseProgress('backup', clock, (report) => reports.push(report)) };
}

test('progress is reported four times a second at most', () => {
  const { time, reports, progress } = phase();
  const sink = progress.part('a');
  for (; time.nowMs < 1000; time.nowMs += 10) sink.report({ files: time.nowMs, bytes: time.nowMs });
  expect(reports.map(({ files }) => files)).toEqual([0, 250, 500, 750]);
});

test('parts add up, and totals come as soon as they are known', () => {
  const { time, reports, progress } = phase();
  progress.part('a').report({ files: 2, bytes: 20 });
  progress.expect({ files: 5, bytes: 50 });
  time.nowMs += 250;
  progress.part('b').report({ files: 1, bytes: 10 });
  expect(reports).toEqual([
    { phase: 'backup', part: 'a', files: 2, bytes: 20, filesTotal: null, bytesTotal: null },
    { phase: 'backup', part: 'b', files: 3, bytes: 30, filesTotal: 5, bytesTotal: 50 },
  ]);
});

test('amounts are summed, none are nothing', () => {
  expect(sum()).toEqual({ files: 0, bytes: 0 });
  expect(sum({ files: 1, bytes: 2 }, { files: 3, bytes: 4 })).toEqual({ files: 4, bytes: 6 });
});
