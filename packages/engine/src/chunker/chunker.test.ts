import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testBytes } from '../testing/test-bytes.ts';
import { ChunkWindow } from './chunk-window.ts';
import { Chunker, maxChunkBytes, minChunkBytes } from './chunker.ts';
import { type ChunkerPolynomial, parsePolynomial, randomPolynomial } from './polynomial.ts';

const polynomial = parsePolynomial('3da3358b4dc173');

/** Where restic 0.14 ends the first chunks of `testBytes('chunker', …)` with this polynomial. */
const resticEnds = [
  1114188, 3056211, 6567888, 9144816, 10631576, 11577761, 12174436, 13071735, 14036163, 15304261,
];

describe('Chunker', () => {
  it('ends chunks where stock restic does', () => {
    expect(endsOf(testBytes('chunker', 16_000_000), polynomial)).toEqual(resticEnds);
  });

  it('ends chunks of zeros after the least size: their fingerprint is zero', () => {
    const ends = endsOf(Buffer.alloc(4 * minChunkBytes + 1), polynomial);
    expect(ends).toEqual([1, 2, 3, 4].map((count) => count * minChunkBytes));
  });

  it('ends a chunk at the greatest size where no boundary comes', () => {
    // The fingerprint of a constant byte never changes, and this one's is no boundary.
    const ends = endsOf(Buffer.alloc(2 * maxChunkBytes + 1, 1), polynomial);
    expect(ends).toEqual([maxChunkBytes, 2 * maxChunkBytes]);
  });

  it('finds no boundary in what is shorter than the least size', () => {
    const chunker = new Chunker(polynomial);
    expect(chunker.findBoundary(Buffer.alloc(minChunkBytes - 1), 0)).toBe(-1);
    expect(chunker.findBoundary(Buffer.alloc(0), 0)).toBe(-1);
    expect(chunker.findBoundary(Buffer.alloc(1), 0)).toBe(1);
  });

  it('forgets the current chunk on reset', () => {
    const bytes = testBytes('chunker', 1_200_000);
    const chunker = new Chunker(polynomial);
    expect(chunker.findBoundary(bytes.subarray(0, 400_000), 0)).toBe(-1);
    chunker.reset();
    expect(chunker.findBoundary(bytes, 0)).toBe(resticEnds[0]);
  });

  it('finds the same boundaries however the bytes come', () => {
    const bytes = testBytes('chunker', 3_500_000);
    const wanted = endsOf(bytes, polynomial);
    const pieceSize = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2_000_000 }));
    fc.assert(
      fc.property(fc.array(pieceSize, { maxLength: 400 }), (pieceSizes) => {
        expect(endsOf(bytes, polynomial, pieceSizes)).toEqual(wanted);
      }),
      { numRuns: 20 },
    );
  });

  it('finds a boundary again after bytes were put in front', () => {
    const bytes = testBytes('chunker', 12_000_000);
    const shift = 12_345;
    const shifted = endsOf(Buffer.concat([testBytes('front', shift), bytes]), polynomial);
    const common = shifted.filter((end) => resticEnds.includes(end - shift));
    expect(common.length).toBeGreaterThan(resticEnds.length / 2);
  });

  it('keeps every chunk within its bounds with any polynomial', () => {
    const bytes = testBytes('bounds', 10_000_000);
    for (let run = 0; run < 2; run += 1) {
      const ends = endsOf(bytes, randomPolynomial());
      ends.reduce((start, end) => {
        expect(end - start).toBeGreaterThanOrEqual(minChunkBytes);
        expect(end - start).toBeLessThanOrEqual(maxChunkBytes);
        return end;
      }, 0);
    }
  });
});

describe('ChunkWindow', () => {
  it('ends chunks where the Chunker does, however it is filled', () => {
    const bytes = Buffer.concat([testBytes('chunker', 12_000_000), Buffer.alloc(maxChunkBytes + 1, 1)]);
    const wanted = endsOf(bytes, polynomial);
    const window = new ChunkWindow(polynomial, bytes.length);
    const piece = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 2_000_000 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 400 }), (pieceSizes) => {
        window.bytes.fill(0);
        const ends: number[] = [];
        let [chunkStart, filled] = [0, 0];
        for (const size of [...pieceSizes, bytes.length]) {
          let scanned = filled;
          filled += bytes.copy(window.bytes, filled, filled, filled + size);
          for (;;) {
            const end = window.findBoundary({ chunkStart, scanned, filled });
            if (end === -1) break;
            ends.push(end);
            chunkStart = end;
            scanned = end;
          }
        }
        expect(ends).toEqual(wanted);
      }),
      { numRuns: 20 },
    );
  });
});

/** Ends of all chunks but the last, of bytes that come in pieces of these sizes, and then the rest. */
function endsOf(
  bytes: Buffer,
  withPolynomial: ChunkerPolynomial,
  pieceSizes: readonly number[] = [],
): number[] {
  const chunker = new Chunker(withPolynomial);
  const ends: number[] = [];
  let pieceStart = 0;
  for (const size of [...pieceSizes, bytes.length]) {
    const piece = bytes.subarray(pieceStart, Math.min(bytes.length, pieceStart + size));
    for (let at = chunker.findBoundary(piece, 0); at !== -1; at = chunker.findBoundary(piece, at)) {
      ends.push(pieceStart + at);
    }
    pieceStart += piece.length;
  }
  return ends;
}
