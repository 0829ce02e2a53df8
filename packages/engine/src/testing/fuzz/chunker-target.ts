import fc from 'fast-check';
import { Chunker, maxChunkBytes, minChunkBytes } from '../../chunker/chunker.ts';
import { parsePolynomial } from '../../chunker/polynomial.ts';
import { testBytes } from '../test-bytes.ts';
import type { FuzzOptions, FuzzResult } from './fuzz-run.ts';

const polynomial = parsePolynomial('25b468838dcb75');

interface Stretch {
  readonly sizeBytes: number;
  /** undefined for zeros. */
  readonly seed: string | undefined;
}

const stretches: fc.Arbitrary<readonly Stretch[]> = fc.array(
  fc.record({
    sizeBytes: fc.oneof(
      fc.nat(2 * minChunkBytes),
      fc.nat(100),
      fc.constantFrom(minChunkBytes, maxChunkBytes),
    ),
    seed: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
  }),
  { maxLength: 5 },
);

/** Any stream is cut into chunks within the limits, at the same places however its bytes arrive. */
export async function runChunkerFuzz({ seed, runs, forMs }: FuzzOptions): Promise<FuzzResult> {
  let slowestMs = 0;
  const property = fc.property(
    stretches,
    fc.array(fc.nat(700_000), { minLength: 1, maxLength: 4 }),
    (parts, reads) => {
      const begunAtMs = performance.now();
      const stream = Buffer.concat(
        parts.map((part) =>
          part.seed === undefined ? Buffer.alloc(part.sizeBytes) : testBytes(part.seed, part.sizeBytes),
        ),
      );
      const ends = chunkEnds(stream, [stream.length]);
      if (
        String(
          chunkEnds(
            stream,
            reads.map((length) => length + 1),
          ),
        ) !== String(ends)
      ) {
        throw new Error('The same stream was cut at other places when it came in other pieces.');
      }
      assertSizes(ends, stream.length);
      slowestMs = Math.max(slowestMs, performance.now() - begunAtMs);
    },
  );
  const timeLimit =
    forMs === undefined ? {} : { interruptAfterTimeLimit: forMs, markInterruptAsFailure: false };
  const details = await fc.check(property, { seed, numRuns: runs, ...timeLimit });
  const failure = details.failed
    ? `${String(details.errorInstance)} — seed ${details.seed}, path ${details.counterexamplePath}`
    : undefined;
  return { runs: details.numRuns, failure, slowestMs };
}

/** Where chunks end in a stream that comes in pieces of these lengths, over and over. */
function chunkEnds(stream: Buffer, pieces: readonly number[]): number[] {
  const chunker = new Chunker(polynomial);
  const ends: number[] = [];
  for (let from = 0, number = 0; from < stream.length; number += 1) {
    const piece = stream.subarray(from, from + (pieces[number % pieces.length] ?? stream.length));
    for (let at = chunker.findBoundary(piece, 0); at !== -1; at = chunker.findBoundary(piece, at)) {
      ends.push(from + at);
      if (at === piece.length) break;
    }
    from += piece.length;
  }
  return ends;
}

function assertSizes(ends: readonly number[], length: number): void {
  let start = 0;
  for (const end of ends) {
    const size = end - start;
    if (size < minChunkBytes || size > maxChunkBytes || end > length)
      throw new Error(`A chunk has ${size} bytes.`);
    start = end;
  }
  if (length - start > maxChunkBytes) throw new Error('The last chunk is too long.');
}
