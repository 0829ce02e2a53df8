import type { BlobType } from '../format/blob-type.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId, PackId } from '../format/ids.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { emptyPackBytes, headerEntryBytes, type PackedBlob } from '../format/pack-header.ts';
import { BlobTable, type Place } from './blob-table.ts';
import { IdTable } from './id-table.ts';

/** A copy of a blob, in the pack that holds it. */
export interface BlobLocation {
  readonly packId: PackId;
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number | undefined;
}

export interface IndexedPackSize {
  readonly id: PackId;
  readonly sizeBytes: number;
  readonly blobCount: number;
}

/** Which packs hold which blobs, as all index files together say; in memory, about 56 bytes a blob. */
export class BlobIndex {
  readonly #packs = new IdTable();
  readonly #tables: Readonly<Record<BlobType, BlobTable>> = { data: new BlobTable(), tree: new BlobTable() };

  get blobCount(): number {
    return this.#tables.data.size + this.#tables.tree.size;
  }

  get packCount(): number {
    return this.#packs.size;
  }

  add({ id, blobs }: IndexedPack): void {
    const pack = this.#packs.add(id);
    for (const { type, id: blobId, offset, length, uncompressedLength } of blobs) {
      this.#tables[type].add(blobId, { pack, offset, length, uncompressedLength });
    }
  }

  has(type: BlobType, id: BlobId): boolean {
    return this.#tables[type].has(id);
  }

  hasPack(id: PackId): boolean {
    return this.#packs.find(id) !== -1;
  }

  /** One copy; undefined if no index names the blob. */
  find(type: BlobType, id: BlobId): BlobLocation | undefined {
    const place = this.#tables[type].find(id);
    return place === undefined ? undefined : this.#locate(place);
  }

  /** Every copy: blobs that two backups stored at the same time are in two packs. */
  findAll(type: BlobType, id: BlobId): BlobLocation[] {
    return this.#tables[type].findAll(id).map((place) => this.#locate(place));
  }

  /** Every pack, with the size that its file has if the index names all that is in it. */
  *packs(): IterableIterator<IndexedPackSize> {
    const sizes = new Float64Array(this.#packs.size).fill(emptyPackBytes);
    const counts = new Uint32Array(this.#packs.size);
    for (const type of ['data', 'tree'] as const) {
      for (const place of this.#tables[type].places()) {
        sizes[place.pack] = (sizes[place.pack] ?? 0) + place.length + headerEntryBytes(place);
        counts[place.pack] = (counts[place.pack] ?? 0) + 1;
      }
    }
    for (let pack = 0; pack < sizes.length; pack += 1) {
      const id = asId<PackId>(this.#packs.idAt(pack));
      yield { id, sizeBytes: sizes[pack] ?? 0, blobCount: counts[pack] ?? 0 };
    }
  }

  /** Every copy of every blob, in no order. */
  *blobs(): IterableIterator<PackedBlob & { readonly packId: PackId }> {
    for (const type of ['data', 'tree'] as const) {
      for (const [id, place] of this.#tables[type].entries()) yield { type, id, ...this.#locate(place) };
    }
  }

  #locate({ pack, offset, length, uncompressedLength }: Place): BlobLocation {
    return { packId: asId<PackId>(this.#packs.idAt(pack)), offset, length, uncompressedLength };
  }
}
