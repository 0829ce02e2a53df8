import type { CliContext } from '../context.ts';
import { LineProgress } from './line-progress.ts';
import type { ProgressView } from './progress-view.ts';
import { TerminalProgress } from './terminal-progress.ts';

/** A bar on a terminal, a line now and then elsewhere. */
export function showProgress({ notes, clock }: Pick<CliContext, 'notes' | 'clock'>): ProgressView {
  return notes.isTerminal ? new TerminalProgress(notes, clock) : new LineProgress(notes, clock);
}
