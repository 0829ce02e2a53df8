import type { Clock } from '@holdfast/base';
import { printable } from '../output/printable.ts';
import type { TextOutput } from '../output/text-output.ts';
import { type ProgressState, progressText } from './progress-state.ts';
import type { ProgressView } from './progress-view.ts';
import { RateMeter } from './rate-meter.ts';

const lineEveryMs = 15_000;

/** For logs and pipes: a line whenever something else is begun, and one each quarter of a minute. Says nothing twice. */
export class LineProgress implements ProgressView {
  readonly #output: TextOutput;
  readonly #clock: Clock;
  #rate: RateMeter;
  #label = '';
  /** Notes since the label changed. */
  #notes = new Set<string>();
  #lineAtMs = 0;

  constructor(output: TextOutput, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#rate = new RateMeter(clock);
  }

  update(state: ProgressState): void {
    const nowMs = this.#clock.elapsed();
    const isNew = state.label !== this.#label;
    if (isNew) this.#rate = new RateMeter(this.#clock);
    this.#rate.add(state.bytes);
    if (!isNew && nowMs - this.#lineAtMs < lineEveryMs) return;
    this.#lineAtMs = nowMs;
    if (isNew) this.#begin(state.label);
    else this.#output.line(printable(progressText(state, this.#rate.perSecond())));
  }

  note(line: string): void {
    if (line === this.#label) return;
    this.#notes.add(line);
    this.#output.line(printable(line));
  }

  #begin(label: string): void {
    this.#label = label;
    if (!this.#notes.has(label)) this.#output.line(printable(label));
    this.#notes = new Set();
  }

  [Symbol.dispose](): void {}
}
