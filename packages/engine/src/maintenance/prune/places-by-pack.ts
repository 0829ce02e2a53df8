import type { BlobType } from '../../format/blob-type.ts';
import type { BlobId } from '../../format/ids.ts';
import { headerEntryBytes, type PackedBlob } from '../../format/pack-header.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import { Column } from '../../index/column.ts';

export interface PlacesOfPack {
  /** Number of the pack in the index. */
  readonly pack: number;
  /** In the order of their offsets. */
  readonly blobs: readonly PackedBlob[];
}

const wordsPerPlace = 5;
const treeBit = 0x8000_0000;

/** Places of blobs, gathered in any order and given back pack by pack; packed, 24 bytes for each. */
export class PlacesByPack {
  readonly #index: BlobIndex;
  readonly #rows = new Column(wordsPerPlace);
  #count = 0;
  #contentBytes = 0;
  #headerBytes = 0;

  constructor(index: BlobIndex) {
    this.#index = index;
  }

  get size(): number {
    return this.#count;
  }

  /** Bytes of the blobs together. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** Bytes that they take in the headers of packs. */
  get headerBytes(): number {
    return this.#headerBytes;
  }

  /** Gathers every place of the index that `accepts` says yes to. */
  gather(type: BlobType, accepts: (blob: number, pack: number) => boolean): void {
    const typeBit = type === 'tree' ? treeBit : 0;
    this.#index.visitPlaces(type, (blob, pack, offset, length, uncompressedLength) => {
      if (!accepts(blob, pack)) return;
      this.#rows.append([pack, (blob | typeBit) >>> 0, offset, length, uncompressedLength]);
      this.#count += 1;
      this.#contentBytes += length;
      this.#headerBytes += headerEntryBytes({ uncompressedLength: uncompressedLength || undefined });
    });
  }

  /** Every pack of which places were gathered, each once. */
  *packs(): Generator<PlacesOfPack, void> {
    const order = this.#orderByPack();
    for (let from = 0; from < order.length; ) {
      const pack = this.#packOf(order, from);
      let end = from + 1;
      while (end < order.length && this.#packOf(order, end) === pack) end += 1;
      const blobs = Array.from(order.subarray(from, end), (row) => this.#blobAt(row));
      yield { pack, blobs: blobs.sort((a, b) => a.offset - b.offset) };
      from = end;
    }
  }

  /** The rows, sorted by counting them. */
  #orderByPack(): Uint32Array {
    const starts = new Uint32Array(this.#index.packCount + 1);
    for (let row = 0; row < this.#count; row += 1) {
      const next = this.#rows.word(row, 0) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let pack = 1; pack < starts.length; pack += 1) {
      starts[pack] = (starts[pack] ?? 0) + (starts[pack - 1] ?? 0);
    }
    const order = new Uint32Array(this.#count);
    for (let row = 0; row < this.#count; row += 1) {
      const pack = this.#rows.word(row, 0);
      const place = starts[pack] ?? 0;
      order[place] = row;
      starts[pack] = place + 1;
    }
    return order;
  }

  #packOf(order: Uint32Array, place: number): number {
    return this.#rows.word(order[place] ?? 0, 0);
  }

  #blobAt(row: number): PackedBlob {
    const word = (column: number): number => this.#rows.word(row, column);
    const type = (word(1) & treeBit) === 0 ? 'data' : 'tree';
    const id: BlobId = this.#index.blobIdAt(type, word(1) & ~treeBit);
    return { type, id, offset: word(2), length: word(3), uncompressedLength: word(4) || undefined };
  }
}
