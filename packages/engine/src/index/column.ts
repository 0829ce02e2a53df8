const rowsPerSegment = 16_384;

/** Rows of a fixed number of unsigned 32 bit words, packed; grows by segments, so nothing is ever copied. */
export class Column {
  readonly #wordsPerRow: number;
  readonly #segments: Uint32Array[] = [];
  #rows = 0;

  constructor(wordsPerRow: number) {
    this.#wordsPerRow = wordsPerRow;
  }

  /** Appends one row. */
  append(words: ArrayLike<number>): void {
    const at = this.#rows % rowsPerSegment;
    if (at === 0) this.#segments.push(new Uint32Array(rowsPerSegment * this.#wordsPerRow));
    this.#segments.at(-1)?.set(words, at * this.#wordsPerRow);
    this.#rows += 1;
  }

  /** The row's words, in place. */
  row(row: number): Uint32Array {
    const segment = this.#segments[Math.floor(row / rowsPerSegment)];
    const start = (row % rowsPerSegment) * this.#wordsPerRow;
    if (segment === undefined || row >= this.#rows) throw new RangeError(`no row ${row}`);
    return segment.subarray(start, start + this.#wordsPerRow);
  }

  word(row: number, column: number): number {
    const segment = this.#segments[Math.floor(row / rowsPerSegment)];
    return segment?.[(row % rowsPerSegment) * this.#wordsPerRow + column] ?? 0;
  }
}
