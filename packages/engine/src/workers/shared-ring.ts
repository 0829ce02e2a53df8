/**
 * One piece of memory that all threads see, lent out in parts that come back in the order in which they were lent.
 * It never grows.
 */
export class SharedRing {
  readonly #sizeBytes: number;
  #memory: Buffer | undefined;
  /** In the order of lending. */
  readonly #lent: { readonly start: number; readonly end: number }[] = [];

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** Undefined while too much is lent. What is larger than all of it is memory of its own, lent alone. */
  take(sizeBytes: number): Buffer | undefined {
    // No two begin at the same place, not even those of nothing: where they begin tells their order.
    const takenBytes = Math.max(sizeBytes, 1);
    const start = this.#startOf(takenBytes);
    if (start === undefined) return undefined;
    this.#lent.push({ start, end: start + takenBytes });
    if (sizeBytes > this.#sizeBytes) return Buffer.from(new SharedArrayBuffer(sizeBytes));
    this.#memory ??= Buffer.from(new SharedArrayBuffer(this.#sizeBytes));
    return this.#memory.subarray(start, start + sizeBytes);
  }

  /** What was lent first comes back. */
  give(): void {
    this.#lent.shift();
  }

  #startOf(sizeBytes: number): number | undefined {
    const oldest = this.#lent[0];
    const newest = this.#lent.at(-1);
    if (oldest === undefined || newest === undefined) return 0;
    const isWrapped = newest.start < oldest.start;
    const endOfGap = isWrapped ? oldest.start : this.#sizeBytes;
    if (newest.end + sizeBytes <= endOfGap) return newest.end;
    return !isWrapped && sizeBytes <= oldest.start ? 0 : undefined;
  }
}
