import { createRequire } from 'node:module';
import type { Clock } from '@holdfast/base';
import type { MultiBar, SingleBar } from 'cli-progress';
import { printable } from '../output/printable.ts';
import type { TextOutput } from '../output/text-output.ts';
import { type ProgressState, progressBarText } from './progress-state.ts';
import type { ProgressView } from './progress-view.ts';
import { RateMeter } from './rate-meter.ts';

const require = createRequire(import.meta.url);

/** The terminal's `^C` after the line must not begin a new one. */
const echoWidth = 3;

/** One line that is drawn again and again, with a bar; notes scroll away above it; it vanishes in the end. */
export class TerminalProgress implements ProgressView {
  readonly #output: TextOutput;
  readonly #clock: Clock;
  readonly #bars: MultiBar;
  #bar: SingleBar | undefined;
  #rate: RateMeter;
  #state: ProgressState | undefined;

  constructor(output: TextOutput, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
    this.#rate = new RateMeter(clock);
    // Loaded here and not before: where there is no terminal, nobody waits for it.
    const { MultiBar }: typeof import('cli-progress') = require('cli-progress');
    this.#bars = new MultiBar({
      stream: output.stream,
      format: () => this.#text(),
      clearOnComplete: true,
      forceRedraw: true,
      // The terminal's own setting stays, so that a killed process leaves nothing behind; lines are cut instead.
      linewrap: true,
      gracefulExit: false,
    });
  }

  update(state: ProgressState): void {
    if (state.label !== this.#state?.label) this.#rate = new RateMeter(this.#clock);
    this.#state = state;
    this.#rate.add(state.bytes);
    this.#bar ??= this.#bars.create(1, 0);
  }

  note(line: string): void {
    this.#bar ??= this.#bars.create(1, 0);
    this.#bars.log(`${printable(line)}\n`);
  }

  [Symbol.dispose](): void {
    if (this.#bar === undefined) return;
    // Notes that were not drawn yet would be lost.
    this.#bars.update();
    this.#bars.stop();
  }

  #text(): string {
    if (this.#state === undefined) return '';
    const bytesPerSecond = this.#rate.perSecond();
    const width = this.#output.columns - echoWidth;
    return printable(progressBarText(this.#state, { bytesPerSecond, width })).slice(0, width);
  }
}
