import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxChunkBytes, minChunkBytes } from '../chunker/chunk-window.ts';
import { ChunkWindows } from '../chunker/chunk-windows.ts';
import { parsePolynomial, randomPolynomial } from '../chunker/polynomial.ts';
import { cutIntoChunks } from '../testing/cut-into-chunks.ts';
import { testBytes } from '../testing/test-bytes.ts';

const windows = new ChunkWindows(parsePolynomial('3da3358b4dc173'));

/** Where restic 0.14 ends the first chunks of `testBytes('chunker', …)` with this polynomial. */
const resticEnds = [
  1114188, 3056211, 6567888, 9144816, 10631576, 11577761, 12174436, 13071735, 14036163, 15304261,
];

describe('chunks', () => {
  it('end where those of stock restic do', async () => {
    expect(await endsOf(testBytes('chunker', 16_000_000))).toEqual([...resticEnds, 16_000_000]);
  });

  it('of zeros end after the least size: their fingerprint is zero', async () => {
    const ends = await endsOf(Buffer.alloc(4 * minChunkBytes + 1));
    expect(ends).toEqual([...[1, 2, 3, 4].map((count) => count * minChunkBytes), 4 * minChunkBytes + 1]);
  });

  it('end at the greatest size where no boundary comes', async () => {
    // The fingerprint of a constant byte never changes, and this one's is no boundary.
    const ends = await endsOf(Buffer.alloc(2 * maxChunkBytes + 1, 1));
    expect(ends).toEqual([maxChunkBytes, 2 * maxChunkBytes, 2 * maxChunkBytes + 1]);
  });

  it('are none of what is empty, and one of what is shorter than the least size', async () => {
    expect(await endsOf(Buffer.alloc(0))).toEqual([]);
    expect(await endsOf(Buffer.alloc(minChunkBytes - 1))).toEqual([minChunkBytes - 1]);
    expect(await endsOf(Buffer.alloc(minChunkBytes))).toEqual([minChunkBytes]);
  });

  it('are the same however the bytes come', async () => {
    const bytes = Buffer.concat([testBytes('chunker', 12_000_000), Buffer.alloc(maxChunkBytes + 1, 1)]);
    const wanted = await cutIntoChunks(windows, bytes);
    expect(Buffer.compare(Buffer.concat(wanted), bytes)).toBe(0);
    const pieceSize = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2_000_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(pieceSize, { maxLength: 400 }), async (pieceSizes) => {
        const chunks = await cutIntoChunks(windows, bytes, [...pieceSizes, bytes.length]);
        expect(chunks.map(({ length }) => length)).toEqual(wanted.map(({ length }) => length));
        expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it('end at the same bytes again after others were put in front', async () => {
    const bytes = testBytes('chunker', 12_000_000);
    const shift = 12_345;
    const shifted = await endsOf(Buffer.concat([testBytes('front', shift), bytes]));
    const common = shifted.filter((end) => resticEnds.includes(end - shift));
    expect(common.length).toBeGreaterThan(resticEnds.length / 2);
  });

  it('are within their bounds with any polynomial', async () => {
    const bytes = testBytes('bounds', 10_000_000);
    for (let run = 0; run < 2; run += 1) {
      const chunks = await cutIntoChunks(new ChunkWindows(randomPolynomial()), bytes);
      for (const { length } of chunks.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(minChunkBytes);
      for (const { length } of chunks) expect(length).toBeLessThanOrEqual(maxChunkBytes);
    }
  });
});

/** Ends of all chunks. */
async function endsOf(bytes: Buffer): Promise<number[]> {
  let end = 0;
  return (await cutIntoChunks(windows, bytes)).map(({ length }) => {
    end += length;
    return end;
  });
}
