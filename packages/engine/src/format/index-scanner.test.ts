import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asId } from './id-codec.ts';
import type { BlobId, IndexId, PackId } from './ids.ts';
import { columnsOf, type IndexColumns } from './index-columns.ts';
import { encodeIndexFile, type IndexFile } from './index-file.ts';
import { decodeIndexColumns } from './index-scanner.ts';

const anId = fc.nat(1_000_000).map((number) => hash('sha256', String(number)));
const uint32 = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 1, 0xffff_ffff));
const blob = fc.record({
  id: anId.map((id) => asId<BlobId>(id)),
  type: fc.constantFrom('data' as const, 'tree' as const),
  offset: uint32,
  length: uint32,
  uncompressedLength: fc.option(
    uint32.filter((length) => length > 0),
    { nil: undefined },
  ),
});
const indexFile: fc.Arbitrary<IndexFile> = fc.record({
  supersedes: fc.array(
    anId.map((id) => asId<IndexId>(id)),
    { maxLength: 3 },
  ),
  packs: fc.array(
    fc.record({ id: anId.map((id) => asId<PackId>(id)), blobs: fc.array(blob, { maxLength: 5 }) }),
    { maxLength: 5 },
  ),
});

/** Without the room that is left at the end of each column. */
function rowsOf({ supersedes, packCount, packIds, blobCount, blobIds, places, isTree }: IndexColumns) {
  return {
    supersedes,
    packCount,
    packIds: packIds.subarray(0, packCount * 32),
    blobCount,
    blobIds: blobIds.subarray(0, blobCount * 32),
    places: places.subarray(0, blobCount * 4),
    isTree: isTree.subarray(0, blobCount),
  };
}

describe('decodeIndexColumns', () => {
  it('gives what was encoded, however it is written', () => {
    fc.assert(
      fc.property(indexFile, fc.nat(3), (file, indent) => {
        const expected = rowsOf(columnsOf(file));
        const usual = encodeIndexFile(file);
        const other = Buffer.from(JSON.stringify(JSON.parse(usual.toString()), undefined, indent));
        expect(rowsOf(decodeIndexColumns(usual, 'index'))).toEqual(expected);
        expect(rowsOf(decodeIndexColumns(Buffer.concat([usual, Buffer.from('\n')]), 'index'))).toEqual(
          expected,
        );
        expect(rowsOf(decodeIndexColumns(other, 'index'))).toEqual(expected);
      }),
    );
  });

  it('refuses what is no index with a coded error, wherever bytes change', () => {
    const change = fc.record({
      at: fc.nat(5000),
      byte: fc.constantFrom(...Buffer.from('"\\{}[]:,0aAG-.\n ')),
    });
    fc.assert(
      fc.property(indexFile, fc.array(change, { minLength: 1, maxLength: 3 }), (file, changes) => {
        const bytes = encodeIndexFile(file);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        let columns: IndexColumns;
        try {
          columns = decodeIndexColumns(bytes, 'index');
        } catch (error) {
          expect(error).toMatchObject({ code: 'repository-damaged' });
          return;
        }
        // What is accepted is what its JSON says.
        const { packs = [] } = JSON.parse(bytes.toString());
        expect(columns.packCount).toBe((packs ?? []).length);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['a number with a needless zero', '"offset":00'],
    ['a number beyond 32 bits', '"offset":4294967296'],
    ['a negative number', '"offset":-1'],
    ['no number', '"offset":'],
  ])('refuses %s', (_, offset) => {
    const id = 'a'.repeat(64);
    const json = `{"packs":[{"id":"${id}","blobs":[{"id":"${id}","type":"data",${offset},"length":1}]}]}`;
    expect(() => decodeIndexColumns(Buffer.from(json), 'index')).toThrow(
      expect.objectContaining({ code: 'repository-damaged' }),
    );
  });
});
