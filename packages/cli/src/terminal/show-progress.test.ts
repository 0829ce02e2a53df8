import { Writable } from 'node:stream';
import type { Clock } from '@holdfast/base';
import { expect, it } from 'vitest';
import { TextOutput } from '../output/text-output.ts';
import type { ProgressState } from './progress-state.ts';
import { RateMeter } from './rate-meter.ts';
import { showProgress } from './show-progress.ts';

class TestClock implements Clock {
  nowMs = 1_000;
  now(): number {
    return this.nowMs;
  }
  elapsed(): number {
    return this.nowMs;
  }
}

function textOutput(terminal: { readonly isTTY?: boolean; readonly columns?: number }) {
  let text = '';
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      text += chunk;
      done();
    },
  });
  return { output: new TextOutput(Object.assign(stream, terminal)), text: () => text };
}

const state = (label: string, bytes: number): ProgressState => ({
  label,
  files: 1,
  filesTotal: null,
  bytes,
  bytesTotal: 4096,
});

it('without a terminal: a line for each step, one each quarter of a minute, and every note', () => {
  const clock = new TestClock();
  const { output, text } = textOutput({});
  {
    using view = showProgress({ notes: output, clock });
    view.update(state('freezing', 0));
    view.update(state('reading', 1024));
    clock.nowMs += 5_000;
    view.update(state('reading', 2048));
    view.note('a\u001b[31m note');
    clock.nowMs += 11_000;
    view.update(state('reading', 3072));
  }
  expect(text()).toBe(
    'freezing\nreading\na\\x1b[31m note\nreading  1 file  3.0 KiB of 4.0 KiB  93 B/s  11 s left\n',
  );
});

it('on a terminal: a bar that vanishes in the end, and notes that stay', () => {
  const { output, text } = textOutput({ isTTY: true, columns: 80 });
  {
    using view = showProgress({ notes: output, clock: new TestClock() });
    view.update(state('reading', 2048));
    view.note('a note');
  }
  expect(text()).toContain('a note\n');
  expect(text()).toContain('reading  ████████████░░░░░░░░░░░░  50%  1 file  2.0 KiB of 4.0 KiB');
  expect(text().endsWith('\u001b[1G\u001b[0J')).toBe(true);
});

it('measures the rate over the last quarter of a minute', () => {
  const clock = new TestClock();
  const meter = new RateMeter(clock);
  meter.add(0);
  expect(meter.perSecond()).toBeUndefined();
  for (let second = 1; second <= 60; second += 1) {
    clock.nowMs += 1_000;
    meter.add(second <= 30 ? second * 10 : 300 + (second - 30) * 100);
  }
  expect(meter.perSecond()).toBe(100);
  meter.add(0);
  expect(meter.perSecond()).toBeUndefined();
});
