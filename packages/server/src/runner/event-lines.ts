import { HoldfastError } from '@holdfast/base';
import { type MoverEvent, moverEventSchema } from '@holdfast/protocol';

/** A manifest with all of its parts and its log is one line: far below this. */
const maxLineBytes = 64 * 1024 * 1024;
const newline = 10;

/**
 * Yields the lines of a byte stream as they end, without their newline; a last line that has none is dropped,
 * because its writer died while writing it.
 * @throws HoldfastError `mover-failed` when a line is far too long
 */
export async function* eventLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const bytes of input) {
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      yield Buffer.concat([...pieces, bytes.subarray(start, end)]).toString('utf8');
      pieces = [];
      sizeBytes = 0;
      start = end + 1;
    }
    sizeBytes += bytes.length - start;
    if (sizeBytes > maxLineBytes)
      throw new HoldfastError('mover-failed', 'The mover reported without an end.');
    pieces.push(bytes.subarray(start));
  }
}

/** `undefined` when the line is no event: cut off by a crash, or of another version. */
export function parseEvent(line: string): MoverEvent | undefined {
  try {
    return moverEventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
