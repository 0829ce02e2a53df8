import type { BlobType } from '../format/blob-type.ts';
import { asId, idBytes } from '../format/id-codec.ts';
import type { BlobId, PackId } from '../format/ids.ts';
import { type IndexColumns, wordsPerPlace } from '../format/index-columns.ts';
import type { IndexedPack } from '../format/index-file.ts';
import { emptyPackBytes, headerEntryBytes, type PackedBlob } from '../format/pack-header.ts';
import { BlobTable, type Place, type PlaceVisitor } from './blob-table.ts';
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

  /** Makes room for about so many more blobs, most of them of type `data`: for many index files at once. */
  reserve(moreBlobs: number): void {
    this.#tables.data.reserve(this.#tables.data.size + moreBlobs);
  }

  /** All that an index file says. */
  addColumns({ packCount, packIds, blobCount, blobIds, places, isTree }: IndexColumns): void {
    const packs = Uint32Array.from({ length: packCount }, (_, pack) =>
      this.#packs.addBytes(packIds, pack * idBytes),
    );
    const { data, tree } = this.#tables;
    const place = new Uint32Array(wordsPerPlace);
    for (let blob = 0; blob < blobCount; blob += 1) {
      const at = blob * wordsPerPlace;
      place[0] = packs[places[at] ?? 0] ?? 0;
      for (let word = 1; word < wordsPerPlace; word += 1) place[word] = places[at + word] ?? 0;
      (isTree[blob] === 1 ? tree : data).addPacked(blobIds, blob * idBytes, place, 0);
    }
  }

  /** By the 32 bytes of the id. */
  hasBytes(type: BlobType, id: Uint8Array, offset = 0): boolean {
    return this.#tables[type].hasBytes(id, offset);
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
    const sizes = this.packSizes();
    const counts = new Uint32Array(this.#packs.size);
    for (const type of ['data', 'tree'] as const) {
      this.visitPlaces(type, (_blob, pack) => {
        counts[pack] = (counts[pack] ?? 0) + 1;
      });
    }
    for (let pack = 0; pack < sizes.length; pack += 1) {
      yield { id: this.packIdAt(pack), sizeBytes: sizes[pack] ?? 0, blobCount: counts[pack] ?? 0 };
    }
  }

  /** The same sizes, by the numbers of the packs. */
  packSizes(): Float64Array {
    const sizes = new Float64Array(this.#packs.size).fill(emptyPackBytes);
    for (const type of ['data', 'tree'] as const) {
      this.visitPlaces(type, (_blob, pack, _offset, length, uncompressedLength) => {
        const entryBytes = headerEntryBytes({ uncompressedLength: uncompressedLength || undefined });
        sizes[pack] = (sizes[pack] ?? 0) + length + entryBytes;
      });
    }
    return sizes;
  }

  /** Every copy of every blob, in no order. */
  *blobs(): IterableIterator<PackedBlob & { readonly packId: PackId }> {
    for (const type of ['data', 'tree'] as const) {
      for (const [id, place] of this.#tables[type].entries()) yield { type, id, ...this.#locate(place) };
    }
  }

  /** How many blobs of the type there are: their numbers run from 0 up to this. */
  blobCountOf(type: BlobType): number {
    return this.#tables[type].size;
  }

  /** The blob's number; -1 if no index names the blob. */
  blobNumber(type: BlobType, id: BlobId): number {
    return this.#tables[type].numberOf(id);
  }

  blobIdAt(type: BlobType, number: number): BlobId {
    return this.#tables[type].idAt(number);
  }

  /** The pack's number, below `packCount`; -1 if no index names the pack. */
  packNumber(id: PackId): number {
    return this.#packs.find(id);
  }

  packIdAt(number: number): PackId {
    return asId<PackId>(this.#packs.idAt(number));
  }

  /** Every copy of every blob of the type, by the numbers of blob and pack. */
  visitPlaces(type: BlobType, visit: PlaceVisitor): void {
    this.#tables[type].visitPlaces(visit);
  }

  #locate({ pack, offset, length, uncompressedLength }: Place): BlobLocation {
    return { packId: asId<PackId>(this.#packs.idAt(pack)), offset, length, uncompressedLength };
  }
}
