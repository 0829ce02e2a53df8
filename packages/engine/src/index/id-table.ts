import { idBytes } from '../format/id-codec.ts';
import { wordsPerId } from '../format/index-columns.ts';
import { Column } from './column.ts';

const initialSlots = 64;
const empty = 0;
const none = -1;

/**
 * A set of ids that numbers them 0, 1, 2 … in the order they came. Packed: 32 bytes an id and 5 to 11 for its slot
 * in the hash table. An id is its own hash: it comes from SHA-256.
 */
export class IdTable {
  readonly #ids = new Column(wordsPerId);
  /**
   * The number of an id and one, or 0 where there is none. The bits that numbers do not need are those of the id's
   * second word: so ids are compared, far away in memory, only where they are most likely equal.
   */
  #slots = new Uint32Array(initialSlots);
  #size = 0;
  readonly #soughtBytes = Buffer.alloc(idBytes);
  readonly #sought = new Uint32Array(this.#soughtBytes.buffer, this.#soughtBytes.byteOffset, wordsPerId);

  get size(): number {
    return this.#size;
  }

  /** The number of the id; -1 if it is not in the set. */
  find(id: string): number {
    this.#soughtBytes.write(id, 'hex');
    return this.#numberAt(this.#slotOfSought());
  }

  /** The same for the 32 bytes of an id. */
  findBytes(bytes: Uint8Array, offset = 0): number {
    this.#seekBytes(bytes, offset);
    return this.#numberAt(this.#slotOfSought());
  }

  /** The number of the id, which is added if it is not in the set yet. */
  add(id: string): number {
    this.#soughtBytes.write(id, 'hex');
    return this.#addSought();
  }

  /** The same for the 32 bytes of an id. */
  addBytes(bytes: Uint8Array, offset = 0): number {
    this.#seekBytes(bytes, offset);
    return this.#addSought();
  }

  /** The id of that number, in hexadecimal. */
  idAt(number: number): string {
    const words = this.#ids.row(number);
    return Buffer.from(words.buffer, words.byteOffset, idBytes).toString('hex');
  }

  #seekBytes(bytes: Uint8Array, offset: number): void {
    for (let at = 0; at < idBytes; at += 1) this.#soughtBytes[at] = bytes[offset + at] ?? 0;
  }

  /** Makes room for so many ids in all, which spares growing step by step. */
  reserve(ids: number): void {
    let slots = this.#slots.length;
    while (ids * 4 > slots * 3) slots *= 2;
    if (slots > this.#slots.length) this.#growTo(slots);
  }

  #addSought(): number {
    const slot = this.#slotOfSought();
    const found = this.#numberAt(slot);
    if (found !== none) return found;
    const number = this.#size;
    this.#ids.append(this.#sought);
    this.#slots[slot] = entry(this.#sought[1] ?? 0, number, this.#slots.length - 1);
    this.#size += 1;
    if (this.#size * 4 > this.#slots.length * 3) this.#growTo(this.#slots.length * 2);
    return number;
  }

  #numberAt(slot: number): number {
    return ((this.#slots[slot] ?? empty) & (this.#slots.length - 1)) - 1;
  }

  /** Where the id sought is, or the free slot where it belongs. */
  #slotOfSought(): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const tag = (this.#sought[1] ?? 0) & ~mask;
    let slot = (this.#sought[0] ?? 0) & mask;
    for (;;) {
      const word = slots[slot] ?? empty;
      if (word === empty) return slot;
      if ((word & ~mask) === tag && this.#ids.equals((word & mask) - 1, this.#sought)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #growTo(count: number): void {
    const slots = new Uint32Array(count);
    const mask = count - 1;
    for (let number = 0; number < this.#size; number += 1) {
      let slot = this.#ids.word(number, 0) & mask;
      while (slots[slot] !== empty) slot = (slot + 1) & mask;
      slots[slot] = entry(this.#ids.word(number, 1), number, mask);
    }
    this.#slots = slots;
  }
}

/** What stands in a slot for an id with that second word. */
function entry(secondWord: number, number: number, mask: number): number {
  return (secondWord & ~mask) | (number + 1);
}
