import type { ProgressState } from './progress-state.ts';

/** Shows on standard error how something long goes. To be disposed before anything else is written there. */
export interface ProgressView extends Disposable {
  update(state: ProgressState): void;
  /** A line that stays. */
  note(line: string): void;
}
