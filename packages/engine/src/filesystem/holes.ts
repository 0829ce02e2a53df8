import { systemCalls } from './system-calls.ts';
import { checkExcept } from './system-error.ts';

const seekData = 3;
const seekHole = 4;

/** Bytes `start` to `end` hold data; before `start` there may be a hole, and reads as zeros. */
export interface DataRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The first range at or after `offset` that holds data; undefined if nothing but a hole is left up to the file's end.
 * A file system that keeps no holes says that everything is data. Moves the descriptor's position.
 */
export function nextData(file: number, offset: number): DataRange | undefined {
  const start = checkExcept(systemCalls().lseek(file, offset, seekData), 'lseek', 'ENXIO');
  if (start === -1) return undefined;
  const end = checkExcept(systemCalls().lseek(file, start, seekHole), 'lseek', 'ENXIO');
  return end === -1 ? undefined : { start, end };
}
