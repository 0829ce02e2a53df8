import { HoldfastError } from '@holdfast/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobId } from '../format/ids.ts';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { type ArchivePiece, readPieces } from './read-pieces.ts';

async function* of(pieces: readonly ArchivePiece[]): AsyncGenerator<ArchivePiece> {
  yield* pieces;
}

/** Blobs that arrive in an order of their own. */
function slowly(blobs: MemoryBlobs, delays: readonly number[]) {
  let calls = 0;
  const copier = blobs.openCopier({ sparse: false, willSync: false });
  return {
    ...copier,
    read: async (id: BlobId, memory: Uint8Array) => {
      const delay = delays[calls % delays.length] ?? 0;
      calls += 1;
      for (let turn = 0; turn < delay; turn += 1) await new Promise(setImmediate);
      await copier.read(id, memory);
    },
  };
}

describe('pieces', () => {
  it('come in their order, whatever the blobs take', async () => {
    const piece = fc.record({
      content: fc.uint8Array({ maxLength: 300 }),
      isBlob: fc.boolean(),
    });
    const delays = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.array(piece), delays, async (wanted, delaysOfReads) => {
        const blobs = new MemoryBlobs();
        const pieces = wanted.map(({ content, isBlob }): ArchivePiece => {
          return isBlob ? { id: blobs.add('data', content).id, sizeBytes: content.length } : content;
        });
        const read: Buffer[] = [];
        const copier = slowly(blobs, delaysOfReads);
        for await (const { bytes } of readPieces({ copier, pieces: of(pieces) }))
          read.push(Buffer.from(bytes));
        expect(read).toEqual(wanted.map(({ content }) => Buffer.from(content)));
      }),
      { numRuns: 50 },
    );
  });

  it('use the same memory again: more of them than fit at once', async () => {
    const blobs = new MemoryBlobs();
    const contents = Array.from({ length: 30 }, (_, at) => Buffer.alloc(5_000_000, at + 1));
    const pieces = contents.map((content) => ({
      id: blobs.add('data', content).id,
      sizeBytes: content.length,
    }));
    const memories = new Set<ArrayBufferLike>();
    let at = 0;
    for await (const { bytes } of readPieces({ copier: slowly(blobs, [3, 0, 1]), pieces: of(pieces) })) {
      memories.add(bytes.buffer);
      expect(Buffer.compare(bytes, contents[at] ?? Buffer.alloc(0))).toBe(0);
      at += 1;
    }
    expect(at).toBe(30);
    expect(memories.size).toBe(1);
  });

  it('end with the first blob that cannot be read, and not before', async () => {
    const blobs = new MemoryBlobs();
    const first = { id: blobs.add('data', Buffer.from('first')).id, sizeBytes: 5 };
    const missing = { id: 'f'.repeat(64) as BlobId, sizeBytes: 5 };
    const read: string[] = [];
    const reading = (async () => {
      const pieces = of([first, missing, first]);
      for await (const { bytes } of readPieces({ copier: slowly(blobs, [2, 0]), pieces }))
        read.push(String(bytes));
    })();
    await expect(reading).rejects.toThrow(HoldfastError);
    expect(read).toEqual(['first']);
  });

  it('end when they are not wanted any more', async () => {
    const blobs = new MemoryBlobs();
    const { id } = blobs.add('data', Buffer.from('blob'));
    const abort = new AbortController();
    const endless = (async function* (): AsyncGenerator<ArchivePiece> {
      for (;;) yield { id, sizeBytes: 4 };
    })();
    const reading = (async () => {
      const request = { copier: slowly(blobs, [1]), pieces: endless, signal: abort.signal };
      for await (const _ of readPieces(request)) abort.abort(new Error('Enough.'));
    })();
    await expect(reading).rejects.toMatchObject({ code: 'interrupted' });
    expect((await endless.next()).done).toBe(true);
  });
});
