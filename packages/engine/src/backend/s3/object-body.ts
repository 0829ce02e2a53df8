import { Readable } from 'node:stream';
import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import type { ByteRange, LoadOptions, TransferOptions } from '../backend.ts';
import { memoryFor } from '../memory-for.ts';

/** How much an answer's body may have at most, and what is thrown of one that has more. */
export interface BodyLimit {
  readonly maxBytes: number;
  tooLarge(sizeBytes: number): HoldfastError;
}

/** No file of a repository is this large: a pack ends long before. */
const repositoryFileLimit: BodyLimit = {
  maxBytes: 1024 * 1024 * 1024,
  tooLarge: (sizeBytes) =>
    new HoldfastError('repository-damaged', 'A file of the repository is impossibly large.', {
      context: { sizeBytes },
    }),
};

/** What is sent at once where the rate is limited: small, so that the connection is never silent for long. */
const pacedPieceBytes = 16 * 1024;

/** A stream of the parts in a row, which copies none of them. Good for one request. */
export function bodyOf(parts: readonly Uint8Array[], options: TransferOptions): Readable {
  return Readable.from(pieces(parts, options), { objectMode: false });
}

async function* pieces(
  parts: readonly Uint8Array[],
  { pace, signal }: TransferOptions,
): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    const pieceBytes = pace === undefined ? part.length : pacedPieceBytes;
    for (let from = 0; from < part.length; from += pieceBytes) {
      const piece = part.subarray(from, from + pieceBytes);
      await pace?.(piece.length, { signal });
      yield piece;
    }
  }
}

/** Of the bytes of all parts in a row, those of the range, without a copy. */
export function sliceParts(
  parts: readonly Uint8Array[],
  { offset, length }: ByteRange,
): readonly Uint8Array[] {
  const sliced: Uint8Array[] = [];
  let start = 0;
  for (const part of parts) {
    const slice = part.subarray(Math.max(0, offset - start), Math.max(0, offset + length - start));
    if (slice.length > 0) sliced.push(slice);
    start += part.length;
  }
  return sliced;
}

/** What an answer's header says of its body. */
export interface AnsweredBody {
  readonly Body?: unknown;
  readonly ContentLength?: number | undefined;
}

/**
 * The whole body of an answer.
 * @throws HoldfastError `storage-unreachable`, to be tried again, when it ends early
 */
export async function readBody(
  answer: AnsweredBody,
  options: LoadOptions,
  limit: BodyLimit = repositoryFileLimit,
): Promise<Buffer> {
  const { ContentLength: length } = answer;
  if (!(answer.Body instanceof Readable)) throw cutOff();
  if (length === undefined) return await collect(answer.Body, options, limit);
  if (length > limit.maxBytes) {
    // Else its connection would wait for somebody to read it.
    answer.Body.destroy();
    throw limit.tooLarge(length);
  }
  const bytes = memoryFor(length, options.into);
  let filled = 0;
  for await (const chunk of chunksOf(answer.Body, options)) {
    if (filled + chunk.length > length) throw cutOff();
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled < length) throw cutOff();
  return bytes;
}

/**
 * The bytes of the range out of an answer's body, of which the server says `bytes FIRST-LAST/SIZE`, or nothing where it
 * sent the whole object.
 * @throws HoldfastError `storage-unreachable`, to be tried again, when it is less than the object has there
 */
export function rangeOf(bytes: Buffer, { offset, length }: ByteRange, answered: string | undefined): Buffer {
  if (answered === undefined) return bytes.subarray(offset, offset + length);
  const [, first, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answered) ?? [];
  const expected = Math.min(length, Number(size) - offset);
  if (Number(first) !== offset || bytes.length !== expected) throw cutOff();
  return bytes;
}

async function collect(body: Readable, options: TransferOptions, limit: BodyLimit): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(body, options)) {
    length += chunk.length;
    if (length > limit.maxBytes) throw limit.tooLarge(length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

async function* chunksOf(
  body: Readable,
  { signal, pace }: TransferOptions & Abortable,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    throwIfAborted(signal);
    if (!(chunk instanceof Uint8Array)) throw cutOff();
    await pace?.(chunk.length, { signal });
    yield chunk;
  }
  throwIfAborted(signal);
}

function cutOff(): HoldfastError {
  return new HoldfastError('storage-unreachable', 'The storage sent less, or more, than it said it would.', {
    hint: 'Check the network between here and the storage.',
    retry: true,
  });
}
