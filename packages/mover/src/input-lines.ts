import { HoldfastError } from '@holdfast/base';

/**
 * Yields the lines of a byte stream as they end, without their newline; a last line that has none is dropped,
 * because its writer died while writing it.
 * @throws HoldfastError `usage-invalid` when a line is longer than `maxLineBytes`
 */
export async function* inputLines(
  input: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<string, void, undefined> {
  const newline = 10;
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
    if (sizeBytes > maxLineBytes) {
      throw new HoldfastError('usage-invalid', `A line of the input is longer than ${maxLineBytes} bytes.`);
    }
    pieces.push(bytes.subarray(start));
  }
}
