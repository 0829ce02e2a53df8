import { HoldfastError } from '@holdfast/base';

const maxValueBytes = 2 ** 20;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * The objects of a stream of JSON: one after another with or without line ends, or the elements of one array. Holds one
 * object at a time, of at most 1 MiB. Whatever stands between objects is passed over.
 */
export async function* jsonObjects(stream: AsyncIterable<string | Buffer>): AsyncGenerator<unknown> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  for await (const piece of stream) {
    const chunk = Buffer.from(piece);
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (escaped) escaped = false;
      else if (inString) {
        if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
      } else if (byte === quote) inString = true;
      else if (byte === openBrace) {
        if (depth === 0) start = at;
        depth++;
      } else if (byte === closeBrace && depth > 0) {
        depth--;
        if (depth > 0) continue;
        held.push(chunk.subarray(start, at + 1));
        yield parse(Buffer.concat(held));
        held = [];
        heldBytes = 0;
      }
    }
    if (depth === 0) continue;
    const rest = chunk.subarray(start);
    held.push(rest);
    heldBytes += rest.length;
    if (heldBytes > maxValueBytes) throw unreadable('An object is longer than 1 MiB.');
  }
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw unreadable('An object is no valid JSON.', error);
  }
}

function unreadable(reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('docker-refused', `The answer of Docker cannot be read. ${reason}`, {
    context: { engineMessage: reason },
    cause,
  });
}
