const segmentBits = 14;
const rowsPerSegment = 1 << segmentBits;
const rowMask = rowsPerSegment - 1;

/** The memory of a column, as it can be posted to other threads. They see what is appended to it later, too. */
export type SharedColumn = readonly SharedArrayBuffer[];

/**
 * Rows of a fixed number of unsigned 32 bit words, packed, in memory that threads can share; grows by segments, so
 * nothing is ever copied. One thread appends.
 */
export class Column {
  readonly #wordsPerRow: number;
  readonly #segments: Uint32Array<SharedArrayBuffer>[];
  #rows = 0;

  /** With what another thread shared: to read only. */
  constructor(wordsPerRow: number, shared: SharedColumn = []) {
    this.#wordsPerRow = wordsPerRow;
    this.#segments = shared.map((segment) => new Uint32Array(segment));
  }

  share(): SharedColumn {
    return this.#segments.map(({ buffer }) => buffer);
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
  row(row: number): Uint32Array<SharedArrayBuffer> {
    const segment = this.#segments[row >>> segmentBits];
    const start = (row & rowMask) * this.#wordsPerRow;
    if (segment === undefined) throw new RangeError(`no row ${row}`);
    return segment.subarray(start, start + this.#wordsPerRow);
  }

  word(row: number, column: number): number {
    const segment = this.#segments[row >>> segmentBits];
    return segment?.[(row & rowMask) * this.#wordsPerRow + column] ?? 0;
  }

  /** True if the row begins with these words. False for a row in a segment that this thread does not have. */
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
    const segmentBytes = rowsPerSegment * this.#wordsPerRow * 4;
    this.#segments.push(new Uint32Array(new SharedArrayBuffer(segmentBytes)));
  }
}
