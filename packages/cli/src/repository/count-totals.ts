import { type ScanRequest, scanSources } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { type EntryTotals, unknownTotals } from '../terminal/entry-progress.ts';

export interface Totals extends AsyncDisposable {
  readonly known: EntryTotals;
}

/**
 * Counts what a backup will read, beside it, so that its bar has an end. Only where there is a bar: counting looks at
 * every file once more. A count that fails is none, and ends with the backup.
 */
export function countTotals(
  { notes }: Pick<CliContext, 'notes'>,
  request: Omit<ScanRequest, 'signal'>,
): Totals {
  let known = unknownTotals;
  const ending = new AbortController();
  const count = async () => {
    if (notes.isTerminal) known = await scanSources({ ...request, signal: ending.signal });
  };
  const counting = count().catch(() => {});
  return {
    get known() {
      return known;
    },
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await counting;
    },
  };
}
