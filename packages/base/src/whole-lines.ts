import type { HoldfastError } from './holdfast-error.ts';

const newline = 10;

export interface WholeLinesOptions {
  /** More than this without a newline is not kept in memory. */
  readonly maxLineBytes: number;
  /** What is thrown then. */
  readonly tooLong: () => HoldfastError;
}

/**
 * Yields the lines of a byte stream as they end, without their newline; a last line that has none is dropped,
 * because its writer died while writing it.
 */
export async function* wholeLines(
  input: AsyncIterable<Uint8Array>,
  { maxLineBytes, tooLong }: WholeLinesOptions,
): AsyncGenerator<string, void, undefined> {
  let pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const bytes of input) {
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      yield Buffer.concat([...pieces, bytes.subarray(start, end)]).toString('utf8');
      [pieces, sizeBytes] = [[], 0];
      start = end + 1;
    }
    sizeBytes += bytes.length - start;
    if (sizeBytes > maxLineBytes) throw tooLong();
    pieces.push(bytes.subarray(start));
  }
}
