import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asId } from './id-codec.ts';
import type { BlobId } from './ids.ts';
import { decodePackHeader, encodePackHeader, type PackedBlob } from './pack-header.ts';

const length = fc.integer({ min: 0, max: 0xffff_ffff });
const blobs = fc.array(
  fc.record({
    type: fc.constantFrom('data' as const, 'tree' as const),
    id: fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => asId<BlobId>(Buffer.from(bytes).toString('hex'))),
    length,
    uncompressedLength: fc.option(length, { nil: undefined }),
  }),
);

describe('the pack header', () => {
  it('gives back what was put in', () => {
    fc.assert(
      fc.property(blobs, (described) => {
        let offset = 0;
        const packed = described.map((blob): PackedBlob => {
          offset += blob.length;
          return { ...blob, offset: offset - blob.length };
        });
        expect(decodePackHeader(encodePackHeader(packed))).toEqual(packed);
      }),
    );
  });

  it('is laid out as the design document says', () => {
    const id = asId<BlobId>('01'.repeat(32));
    const header = encodePackHeader([
      { type: 'data', id, offset: 0, length: 0x01020304, uncompressedLength: undefined },
      { type: 'tree', id, offset: 0x01020304, length: 5, uncompressedLength: 0x0a },
    ]);
    expect(header.toString('hex')).toBe(`0004030201${id}03050000000a000000${id}`);
  });

  it('turns garbage into an error with a code, or into blobs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodePackHeader(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'repository-damaged' });
        }
      }),
    );
  });
});
