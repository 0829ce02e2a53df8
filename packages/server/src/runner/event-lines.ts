import { HoldfastError, wholeLines } from '@holdfast/base';
import { type MoverEvent, moverEventSchema } from '@holdfast/protocol';

/** A manifest with all of its parts and its log is one line: far below this. */
const maxLineBytes = 64 * 1024 * 1024;

/** The whole lines of what a mover writes. @throws HoldfastError `mover-failed` when one is far too long */
export function eventLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const tooLong = () => new HoldfastError('mover-failed', 'The mover reported without an end.');
  return wholeLines(input, { maxLineBytes, tooLong });
}

/** `undefined` when the line is no event: cut off by a crash, or of another version. */
export function parseEvent(line: string): MoverEvent | undefined {
  try {
    return moverEventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
