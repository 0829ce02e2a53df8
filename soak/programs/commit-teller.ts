/**
 * For programs that run in a container. What they find when they start, and what they committed then, goes to standard
 * output, for `capture/told.ts`.
 */

export const now = (): number => performance.timeOrigin + performance.now();

/** So short that no line of another program comes in between. */
const rowsOfLine = 100;

/** What is there before anything is written: rows as pairs of number and start, or how far a count came. */
export function tellFound({
  rows = [],
  ...found
}: {
  readonly problems: readonly string[];
  readonly rows?: readonly (readonly [number, number])[];
  readonly count?: number;
}): void {
  process.stdout.write('started\n');
  for (let at = 0; at < rows.length; at += rowsOfLine) {
    process.stdout.write(`rows ${JSON.stringify(rows.slice(at, at + rowsOfLine))}\n`);
  }
  process.stdout.write(`found ${JSON.stringify(found)}\n`);
}

/** `startedMs`: before the first write of it; it is complete now. */
export function tellCommit(id: number, startedMs: number): void {
  process.stdout.write(`commit ${id} ${startedMs.toFixed(2)} ${now().toFixed(2)}\n`);
}
