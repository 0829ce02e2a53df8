import { asId } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
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

/**
 * The places of all blobs of one type: 16 bytes a blob beside its id. Most blobs are in one pack only; the further
 * places of those that are in several are kept apart.
 */
export class BlobTable {
  readonly #ids = new IdTable();
  readonly #places = new Column(4);
  readonly #furtherPlaces = new Map<number, Place[]>();

  get size(): number {
    return this.#ids.size;
  }

  has(id: BlobId): boolean {
    return this.#ids.find(id) !== -1;
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

  /** A place that is known already is not added again. */
  add(id: BlobId, place: Place): void {
    const sizeBefore = this.#ids.size;
    const number = this.#ids.add(id);
    if (number === sizeBefore) {
      this.#places.append([place.pack, place.offset, place.length, place.uncompressedLength ?? 0]);
      return;
    }
    const further = this.#furtherPlaces.get(number) ?? [];
    const isKnown = [this.#placeAt(number), ...further].some(
      (known) => known.pack === place.pack && known.offset === place.offset,
    );
    if (!isKnown) this.#furtherPlaces.set(number, [...further, place]);
  }

  /** Every place of every blob. */
  *places(): IterableIterator<Place> {
    for (let number = 0; number < this.#ids.size; number += 1) yield this.#placeAt(number);
    for (const further of this.#furtherPlaces.values()) yield* further;
  }

  /** Every blob with every one of its places. */
  *entries(): IterableIterator<[BlobId, Place]> {
    for (let number = 0; number < this.#ids.size; number += 1) {
      const id = asId<BlobId>(this.#ids.idAt(number));
      yield [id, this.#placeAt(number)];
      for (const place of this.#furtherPlaces.get(number) ?? []) yield [id, place];
    }
  }

  #placeAt(number: number): Place {
    const [pack = 0, offset = 0, length = 0, uncompressedLength = 0] = this.#places.row(number);
    return { pack, offset, length, uncompressedLength: uncompressedLength || undefined };
  }
}
