import { idBytes } from './id-codec.ts';
import type { IndexId } from './ids.ts';
import type { IndexFile } from './index-file.ts';

/** Words of one row of `places`: number of the pack, offset, length, length of the plaintext (0: not compressed). */
export const wordsPerPlace = 4;
export const wordsPerId = idBytes / 4;

/** What an index file says, packed: for millions of blobs. Ids are their 32 bytes. */
export interface IndexColumns {
  readonly supersedes: readonly IndexId[];
  readonly packCount: number;
  readonly packIds: Uint8Array<ArrayBuffer>;
  readonly blobCount: number;
  readonly blobIds: Uint8Array<ArrayBuffer>;
  readonly places: Uint32Array<ArrayBuffer>;
  /** 1 for a blob of type `tree`. */
  readonly isTree: Uint8Array<ArrayBuffer>;
}

/** Columns that are filled row by row, with room for that many. */
export class IndexColumnsBuilder implements IndexColumns {
  readonly supersedes: IndexId[] = [];
  readonly packIds: Uint8Array<ArrayBuffer>;
  readonly blobIds: Uint8Array<ArrayBuffer>;
  readonly places: Uint32Array<ArrayBuffer>;
  readonly isTree: Uint8Array<ArrayBuffer>;
  packCount = 0;
  blobCount = 0;

  constructor(mostPacks: number, mostBlobs: number) {
    this.packIds = new Uint8Array(mostPacks * idBytes);
    this.blobIds = new Uint8Array(mostBlobs * idBytes);
    this.places = new Uint32Array(mostBlobs * wordsPerPlace);
    this.isTree = new Uint8Array(mostBlobs);
  }

  /** A blob of the last pack, whose id stands at its place in `blobIds` already. */
  endBlob(isTree: boolean, offset: number, length: number, uncompressedLength: number): void {
    const at = this.blobCount * wordsPerPlace;
    this.places[at] = this.packCount - 1;
    this.places[at + 1] = offset;
    this.places[at + 2] = length;
    this.places[at + 3] = uncompressedLength;
    this.isTree[this.blobCount] = isTree ? 1 : 0;
    this.blobCount += 1;
  }
}

export function columnsOf({ supersedes, packs }: IndexFile): IndexColumns {
  const columns = new IndexColumnsBuilder(
    packs.length,
    packs.reduce((total, { blobs }) => total + blobs.length, 0),
  );
  columns.supersedes.push(...supersedes);
  for (const pack of packs) {
    columns.packIds.set(Buffer.from(pack.id, 'hex'), columns.packCount * idBytes);
    columns.packCount += 1;
    for (const { id, type, offset, length, uncompressedLength } of pack.blobs) {
      columns.blobIds.set(Buffer.from(id, 'hex'), columns.blobCount * idBytes);
      columns.endBlob(type === 'tree', offset, length, uncompressedLength ?? 0);
    }
  }
  return columns;
}
