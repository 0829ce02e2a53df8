const segmentBits = 14;
const rowsPerSegment = 1 << segmentBits;
const rowMask = rowsPerSegment - 1;

/** Rows of a fixed number of unsigned 32 bit words, packed; grows by segments, so nothing is ever copied. */
export class Column {
  readonly #wordsPerRow: number;
  readonly #segments: Uint32Array<ArrayBuffer>[] = [];
  #rows = 0;

  constructor(wordsPerRow: number) {
    this.#wordsPerRow = wordsPerRow;
  }

  /** Appends the row of words that begins at that place. */
  append(words: ArrayLike<number>, start = 0): void {
    const row = this.#rows & rowMask;
    if (row === 0) this.#addSegment();
    const segment = this.#segments[this.#rows >>> segmentBits];
    if (segment === undefined) return;
    const at = row * this.#wordsPerRow;
    for (let word = 0; word < this.#wordsPerRow; word += 1) segment[at + word] = words[start + word] ?? 0;
    this.#rows += 1;
  }

  /** The row's words, in place. */
  row(row: number): Uint32Array<ArrayBuffer> {
    const segment = this.#segments[row >>> segmentBits];
    const start = (row & rowMask) * this.#wordsPerRow;
    if (segment === undefined) throw new RangeError(`no row ${row}`);
    return segment.subarray(start, start + this.#wordsPerRow);
  }

  word(row: number, column: number): number {
    const segment = this.#segments[row >>> segmentBits];
    return segment?.[(row & rowMask) * this.#wordsPerRow + column] ?? 0;
  }

  /** True if the row begins with these words. */
  equals(row: number, words: Uint32Array): boolean {
    const segment = this.#segments[row >>> segmentBits];
    if (segment === undefined) return false;
    const at = (row & rowMask) * this.#wordsPerRow;
    for (let word = 0; word < words.length; word += 1) {
      if (segment[at + word] !== words[word]) return false;
    }
    return true;
  }

  #addSegment(): void {
    this.#segments.push(new Uint32Array(rowsPerSegment * this.#wordsPerRow));
  }
}
