import { idBytes } from '../format/id-codec.ts';
import { Column } from './column.ts';

const wordsPerId = idBytes / 4;
const initialSlots = 64;
const empty = -1;

/**
 * A set of ids that numbers them 0, 1, 2 … in the order they came. Packed: 32 bytes an id and 5 to 11 for its slot
 * in the hash table. An id is its own hash: it comes from SHA-256.
 */
export class IdTable {
  readonly #ids = new Column(wordsPerId);
  #slots = new Int32Array(initialSlots).fill(empty);
  #size = 0;
  readonly #soughtBytes = Buffer.alloc(idBytes);
  readonly #sought: Uint32Array;

  constructor() {
    this.#sought = new Uint32Array(this.#soughtBytes.buffer, this.#soughtBytes.byteOffset, wordsPerId);
  }

  get size(): number {
    return this.#size;
  }

  /** The number of the id; -1 if it is not in the set. */
  find(id: string): number {
    this.#soughtBytes.write(id, 'hex');
    return this.#slots[this.#slotOfSought()] ?? empty;
  }

  /** The number of the id, which is added if it is not in the set yet. */
  add(id: string): number {
    this.#soughtBytes.write(id, 'hex');
    const slot = this.#slotOfSought();
    const found = this.#slots[slot] ?? empty;
    if (found !== empty) return found;
    const number = this.#size;
    this.#ids.append(this.#sought);
    this.#slots[slot] = number;
    this.#size += 1;
    if (this.#size * 4 > this.#slots.length * 3) this.#doubleSlots();
    return number;
  }

  /** The id of that number, in hexadecimal. */
  idAt(number: number): string {
    const words = this.#ids.row(number);
    return Buffer.from(words.buffer, words.byteOffset, idBytes).toString('hex');
  }

  /** Where the id sought is, or the free slot where it belongs. */
  #slotOfSought(): number {
    const mask = this.#slots.length - 1;
    let slot = (this.#sought[0] ?? 0) & mask;
    for (;;) {
      const number = this.#slots[slot] ?? empty;
      if (number === empty || this.#isSought(number)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isSought(number: number): boolean {
    for (let word = 0; word < wordsPerId; word += 1) {
      if (this.#ids.word(number, word) !== this.#sought[word]) return false;
    }
    return true;
  }

  #doubleSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(empty);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#size; number += 1) {
      let slot = this.#ids.word(number, 0) & mask;
      while (slots[slot] !== empty) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}
