interface Range {
  readonly start: number;
  readonly end: number;
}

interface Waiter {
  readonly sizeBytes: number;
  readonly take: (range: Range) => void;
}

/**
 * One piece of memory that all threads see, lent out in parts. It never grows: who asks for more than is free waits.
 * First come, first served.
 */
export class SharedArena {
  readonly #sizeBytes: number;
  #memory: Buffer | undefined;
  /** In the order of their places. */
  readonly #taken: Range[] = [];
  readonly #waiting: Waiter[] = [];

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  /** The memory is the `work`'s until it ends. What is more than the whole arena is lent apart from it. */
  async use<Result>(sizeBytes: number, work: (memory: Buffer) => Promise<Result>): Promise<Result> {
    if (sizeBytes > this.#sizeBytes) return await work(Buffer.from(new SharedArrayBuffer(sizeBytes)));
    const range = await this.#take(sizeBytes);
    this.#memory ??= Buffer.from(new SharedArrayBuffer(this.#sizeBytes));
    try {
      return await work(this.#memory.subarray(range.start, range.end));
    } finally {
      this.#give(range);
    }
  }

  async #take(sizeBytes: number): Promise<Range> {
    const range = this.#waiting.length === 0 ? this.#place(sizeBytes) : undefined;
    if (range !== undefined) return range;
    const { promise, resolve } = Promise.withResolvers<Range>();
    this.#waiting.push({ sizeBytes, take: resolve });
    return await promise;
  }

  #give(range: Range): void {
    this.#taken.splice(this.#taken.indexOf(range), 1);
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const found = this.#place(next.sizeBytes);
      if (found === undefined) break;
      this.#waiting.shift();
      next.take(found);
    }
  }

  /** The first gap that is wide enough. */
  #place(sizeBytes: number): Range | undefined {
    let start = 0;
    for (const [at, taken] of [...this.#taken, { start: this.#sizeBytes, end: this.#sizeBytes }].entries()) {
      if (taken.start - start >= sizeBytes) {
        const range = { start, end: start + sizeBytes };
        this.#taken.splice(at, 0, range);
        return range;
      }
      start = taken.end;
    }
    return undefined;
  }
}
