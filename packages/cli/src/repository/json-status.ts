import type { CliContext } from '../context.ts';
import type { EntryProgress, EntryTotals } from '../terminal/entry-progress.ts';

const statusEveryMs = 1000;

/** How far something is, as a message of restic's has it. */
export interface JsonStatus extends EntryProgress {
  readonly secondsElapsed: number;
  readonly totals: EntryTotals;
}

/** Writes a message of type `status` to standard output about once a second, in restic's shape. */
export function jsonProgress(
  { clock, output }: Pick<CliContext, 'clock' | 'output'>,
  totals: () => EntryTotals,
  fields: (status: JsonStatus) => object,
): { report(progress: EntryProgress): void } {
  const begunAtMs = clock.elapsed();
  let writtenAtMs = begunAtMs;
  return {
    report: ({ files, bytes }) => {
      const nowMs = clock.elapsed();
      if (nowMs - writtenAtMs < statusEveryMs) return;
      writtenAtMs = nowMs;
      const secondsElapsed = Math.floor((nowMs - begunAtMs) / 1000);
      const status = { files, bytes, secondsElapsed, totals: totals() };
      const percent = percentDone(status);
      const begin = { message_type: 'status', seconds_elapsed: secondsElapsed, percent_done: percent };
      output.line(JSON.stringify({ ...begin, ...fields(status) }));
    },
  };
}

function percentDone({ bytes, totals }: JsonStatus): number {
  return totals.bytes === null || totals.bytes === 0 ? 0 : Math.min(1, bytes / totals.bytes);
}
