/**
 * For programs that run in a container. What they find when they start, and what they committed then, goes to standard
 * output, for `capture/told.ts`.
 */

import { writeSync } from 'node:fs';

export const now = (): number => performance.timeOrigin + performance.now();

/** Of less than 4096 bytes: so much is written in one piece, and no line of another program comes in between. */
const rowsOfLine = 100;
const pauseMs = 1;
const sleeper = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** What is there before anything is written: rows as pairs of number and start, or how far a count came. */
export function tellFound({
  rows = [],
  ...found
}: {
  readonly problems: readonly string[];
  readonly rows?: readonly (readonly [number, number])[];
  readonly count?: number;
}): void {
  tell('started');
  for (let at = 0; at < rows.length; at += rowsOfLine) {
    tell(`rows ${JSON.stringify(rows.slice(at, at + rowsOfLine))}`);
  }
  tell(`found ${JSON.stringify(found)}`);
}

/** `startedMs`: before the first write of it; it is complete now. */
export function tellCommit(id: number, startedMs: number): void {
  tell(`commit ${id} ${startedMs.toFixed(2)} ${now().toFixed(2)}`);
}

/** In one piece: a stream would put several lines together when the pipe is full. */
function tell(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (;;) {
    try {
      writeSync(process.stdout.fd, bytes);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, pauseMs);
    }
  }
}
