import type { ProgressView } from './progress-view.ts';

/** What the engine tells while it reads or writes files. */
export interface EntryProgress {
  readonly files: number;
  readonly bytes: number;
}

/** Totals, as far as they are known. */
export interface EntryTotals {
  readonly files: number | null;
  readonly bytes: number | null;
}

export const unknownTotals: EntryTotals = { files: null, bytes: null };

/** Shows what the engine tells; `totals` may come to be known meanwhile. */
export function entryProgress(
  view: ProgressView,
  label: string,
  totals: () => EntryTotals = () => unknownTotals,
): { report(progress: EntryProgress): void } {
  return {
    report: ({ files, bytes }) => {
      const { files: filesTotal, bytes: bytesTotal } = totals();
      view.update({ label, files, filesTotal, bytes, bytesTotal });
    },
  };
}
