import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { asId } from '../format/id-codec.ts';
import type { BlobId, PackId } from '../format/ids.ts';
import { columnsOf } from '../format/index-columns.ts';
import type { PackedBlob } from '../format/pack-header.ts';
import { BlobIndex } from './blob-index.ts';
import { IdTable } from './id-table.ts';

const id = (text: string | number): string => hash('sha256', String(text));
const blobId = (text: string | number): BlobId => asId<BlobId>(id(text));
const packId = (text: string): PackId => asId<PackId>(id(text));

function blob(text: string | number, fields: Partial<PackedBlob> = {}): PackedBlob {
  return { type: 'data', id: blobId(text), offset: 0, length: 100, uncompressedLength: undefined, ...fields };
}

describe('IdTable', () => {
  it('numbers 100,000 ids in their order, and knows no others', () => {
    const table = new IdTable();
    for (let n = 0; n < 100_000; n += 1) expect(table.add(id(n))).toBe(n);
    expect(table.size).toBe(100_000);
    for (let n = 0; n < 100_000; n += 997) {
      expect(table.find(id(n))).toBe(n);
      expect(table.add(id(n))).toBe(n);
      expect(table.idAt(n)).toBe(id(n));
    }
    expect(table.find(id('other'))).toBe(-1);
    expect(table.size).toBe(100_000);
  });

  it('tells ids apart that begin alike', () => {
    const table = new IdTable();
    const alike = Array.from(
      { length: 300 },
      (_, n) => `${'ab'.repeat(30)}${n.toString(16).padStart(4, '0')}`,
    );
    for (const [n, one] of alike.entries()) expect(table.add(one)).toBe(n);
    for (const [n, one] of alike.entries()) expect(table.find(one)).toBe(n);
  });
});

describe('an IdTable by bytes', () => {
  const bytesOf = (n: number): Uint8Array => Buffer.from(`ff${id(n)}`, 'hex');

  it('is the same as by text', () => {
    const table = new IdTable();
    table.reserve(3_000);
    for (let n = 0; n < 10_000; n += 1)
      expect(n % 2 ? table.add(id(n)) : table.addBytes(bytesOf(n), 1)).toBe(n);
    for (let n = 0; n < 10_000; n += 97) {
      expect(table.findBytes(bytesOf(n), 1)).toBe(n);
      expect(table.find(id(n))).toBe(n);
    }
    expect(table.findBytes(bytesOf(10_001), 1)).toBe(-1);
  });
});

describe('BlobIndex', () => {
  it('takes whole index files, packed', () => {
    const packs = ['p', 'q'].map((name) => ({
      id: packId(name),
      blobs: [
        blob(name, { offset: 1 }),
        blob('both', { offset: 2, uncompressedLength: 5 }),
        blob('tree', { type: 'tree', offset: 3 }),
      ],
    }));
    const [one, other] = [new BlobIndex(), new BlobIndex()];
    one.addColumns(columnsOf({ supersedes: [], packs }));
    one.addColumns(columnsOf({ supersedes: [], packs: packs.slice(1) }));
    for (const pack of packs) other.add(pack);
    expect([...one.blobs()]).toEqual([...other.blobs()]);
    expect([...one.packs()]).toEqual([...other.packs()]);
    expect(one.hasBytes('data', Buffer.from(blobId('both'), 'hex'))).toBe(true);
    expect(one.hasBytes('tree', Buffer.from(blobId('both'), 'hex'))).toBe(false);
  });

  it('finds a blob by type and id', () => {
    const index = new BlobIndex();
    const fields = { offset: 7, length: 50, uncompressedLength: 80 };
    index.add({ id: packId('p'), blobs: [blob('a', fields), blob('b', { type: 'tree' })] });
    expect(index.find('data', blobId('a'))).toEqual({ packId: packId('p'), ...fields });
    expect(index.find('tree', blobId('a'))).toBeUndefined();
    expect(index.has('tree', blobId('b'))).toBe(true);
    expect(index.has('data', blobId('b'))).toBe(false);
    expect(index.hasPack(packId('p'))).toBe(true);
    expect(index.hasPack(packId('q'))).toBe(false);
  });

  it('keeps every copy of a blob, each once', () => {
    const index = new BlobIndex();
    for (const name of ['p', 'q', 'p', 'q', 'r']) index.add({ id: packId(name), blobs: [blob('a')] });
    expect(index.findAll('data', blobId('a')).map((copy) => copy.packId)).toEqual(
      ['p', 'q', 'r'].map(packId),
    );
    expect(index.blobCount).toBe(1);
    expect([...index.blobs()]).toHaveLength(3);
  });

  it('keeps lengths and offsets up to 4 GiB', () => {
    const index = new BlobIndex();
    const fields = { offset: 0xffff_fffe, length: 0xffff_ffff, uncompressedLength: 0xffff_fffd };
    index.add({ id: packId('p'), blobs: [blob('a', fields)] });
    expect(index.find('data', blobId('a'))).toMatchObject(fields);
  });

  it('tells the size that each pack has', () => {
    const index = new BlobIndex();
    const compressed = blob('b', { offset: 100, length: 50, uncompressedLength: 90 });
    index.add({ id: packId('p'), blobs: [blob('a'), compressed] });
    index.add({ id: packId('q'), blobs: [blob('a')] });
    expect([...index.packs()]).toEqual([
      { id: packId('p'), sizeBytes: 100 + 50 + 37 + 41 + 36, blobCount: 2 },
      { id: packId('q'), sizeBytes: 100 + 37 + 36, blobCount: 1 },
    ]);
  });
});
