import fc from 'fast-check';
import { maxChunkBytes, minChunkBytes } from '../../chunker/chunk-window.ts';
import { ChunkWindows } from '../../chunker/chunk-windows.ts';
import { parsePolynomial } from '../../chunker/polynomial.ts';
import { cutIntoChunks } from '../cut-into-chunks.ts';
import { testBytes } from '../test-bytes.ts';
import type { FuzzOptions, FuzzResult } from './fuzz-run.ts';

const windows = new ChunkWindows(parsePolynomial('25b468838dcb75'));

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
  const property = fc.asyncProperty(
    stretches,
    fc.array(fc.nat(700_000), { minLength: 1, maxLength: 4 }),
    async (parts, reads) => {
      const begunAtMs = performance.now();
      const stream = Buffer.concat(
        parts.map((part) =>
          part.seed === undefined ? Buffer.alloc(part.sizeBytes) : testBytes(part.seed, part.sizeBytes),
        ),
      );
      const chunks = await cutIntoChunks(windows, stream);
      const pieces = reads.map((length) => length + 1);
      const otherwise = await cutIntoChunks(windows, stream, pieces);
      if (String(otherwise.map(sizeOf)) !== String(chunks.map(sizeOf))) {
        throw new Error('The same stream was cut at other places when it came in other pieces.');
      }
      for (const all of [chunks, otherwise]) {
        if (Buffer.compare(Buffer.concat(all), stream) !== 0) throw new Error('The chunks are other bytes.');
      }
      assertSizes(chunks);
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

function assertSizes(chunks: readonly Buffer[]): void {
  for (const [at, { length }] of chunks.entries()) {
    const isLast = at === chunks.length - 1;
    if ((length < minChunkBytes && !isLast) || length > maxChunkBytes) {
      throw new Error(`A chunk has ${length} bytes.`);
    }
  }
}

function sizeOf({ length }: Buffer): number {
  return length;
}
