import { asId } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import { wordsPerPlace } from '../format/index-columns.ts';
import { Column } from './column.ts';
import { IdTable } from './id-table.ts';

/** Where one copy of a blob is. */
export interface Place {
  /** Number of the pack in the index's table of packs. */
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number | undefined;
}

/** `uncompressedLength` is 0 for a blob that is stored as it is. */
export type PlaceVisitor = (
  blob: number,
  pack: number,
  offset: number,
  length: number,
  uncompressedLength: number,
) => void;

/**
 * The places of all blobs of one type: 16 bytes a blob beside its id. Most blobs are in one pack only; the further
 * places of those that are in several are kept apart.
 */
export class BlobTable {
  readonly #ids = new IdTable();
  readonly #places = new Column(wordsPerPlace);
  readonly #furtherPlaces = new Map<number, Place[]>();

  get size(): number {
    return this.#ids.size;
  }

  has(id: BlobId): boolean {
    return this.#ids.find(id) !== -1;
  }

  /** The same by the 32 bytes of the id. */
  hasBytes(id: Uint8Array, offset = 0): boolean {
    return this.#ids.findBytes(id, offset) !== -1;
  }

  /** The place that came first; undefined if the blob is in none. */
  find(id: BlobId): Place | undefined {
    const number = this.#ids.find(id);
    return number === -1 ? undefined : this.#placeAt(number);
  }

  /** Every place, in the order they came. */
  findAll(id: BlobId): Place[] {
    const number = this.#ids.find(id);
    if (number === -1) return [];
    return [this.#placeAt(number), ...(this.#furtherPlaces.get(number) ?? [])];
  }

  /** Makes room for so many blobs in all. */
  reserve(blobs: number): void {
    this.#ids.reserve(blobs);
  }

  /** A place that is known already is not added again. */
  add(id: BlobId, place: Place): void {
    const nextNumber = this.#ids.size;
    const number = this.#ids.add(id);
    if (number !== nextNumber) this.#addFurther(number, place);
    else this.#places.append([place.pack, place.offset, place.length, place.uncompressedLength ?? 0]);
  }

  /** The same of packed columns: the 32 bytes of an id, and the row of a place. */
  addPacked(ids: Uint8Array, idOffset: number, places: Uint32Array, placeOffset: number): void {
    const nextNumber = this.#ids.size;
    const number = this.#ids.addBytes(ids, idOffset);
    if (number === nextNumber) this.#places.append(places, placeOffset);
    else this.#addFurther(number, placeOf(places, placeOffset));
  }

  /** The number of the blob, in the order they came; -1 if it is not in the table. */
  numberOf(id: BlobId): number {
    return this.#ids.find(id);
  }

  idAt(number: number): BlobId {
    return asId<BlobId>(this.#ids.idAt(number));
  }

  /** Every place of every blob, with the number of the blob and without an object for each: for millions of them. */
  visitPlaces(visit: PlaceVisitor): void {
    for (let number = 0; number < this.#ids.size; number += 1) {
      const word = (column: number): number => this.#places.word(number, column);
      visit(number, word(0), word(1), word(2), word(3));
    }
    for (const [number, further] of this.#furtherPlaces) {
      for (const { pack, offset, length, uncompressedLength } of further) {
        visit(number, pack, offset, length, uncompressedLength ?? 0);
      }
    }
  }

  /** Every blob with every one of its places. */
  *entries(): IterableIterator<[BlobId, Place]> {
    for (let number = 0; number < this.#ids.size; number += 1) {
      const id = asId<BlobId>(this.#ids.idAt(number));
      yield [id, this.#placeAt(number)];
      for (const place of this.#furtherPlaces.get(number) ?? []) yield [id, place];
    }
  }

  #addFurther(number: number, place: Place): void {
    const further = this.#furtherPlaces.get(number) ?? [];
    const isKnown = [this.#placeAt(number), ...further].some(
      (known) => known.pack === place.pack && known.offset === place.offset,
    );
    if (!isKnown) this.#furtherPlaces.set(number, [...further, place]);
  }

  #placeAt(number: number): Place {
    return placeOf(this.#places.row(number), 0);
  }
}

function placeOf(words: Uint32Array, start: number): Place {
  return {
    pack: words[start] ?? 0,
    offset: words[start + 1] ?? 0,
    length: words[start + 2] ?? 0,
    uncompressedLength: words[start + 3] || undefined,
  };
}
