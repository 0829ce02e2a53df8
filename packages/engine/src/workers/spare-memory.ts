const leastBytes = 64 * 1024;

/**
 * Memory that is used again: what is thrown away has to be collected first. Nothing is: there is never more than was
 * in use at the same time, in a few sizes.
 */
export class SpareMemory {
  readonly #spare: Buffer[] = [];

  /** At least that much. */
  take(sizeBytes: number): Buffer {
    const fitting = this.#spare.findIndex(
      ({ length }) => length >= sizeBytes && length <= 4 * sizeBytes + leastBytes,
    );
    const [memory] = fitting === -1 ? [] : this.#spare.splice(fitting, 1);
    return memory ?? this.allocate(roundUp(sizeBytes));
  }

  /** The caller uses it no more. */
  give(memory: Buffer): void {
    this.#spare.push(memory);
    // The smallest that fits is found first.
    this.#spare.sort((a, b) => a.length - b.length);
  }

  protected allocate(sizeBytes: number): Buffer {
    return Buffer.allocUnsafeSlow(sizeBytes);
  }
}

/** The same, of memory that all threads see. */
export class SpareSharedMemory extends SpareMemory {
  protected override allocate(sizeBytes: number): Buffer {
    return Buffer.from(new SharedArrayBuffer(sizeBytes));
  }
}

/** Few different sizes, so that most of them fit the next time. What of it is never written takes no memory. */
function roundUp(sizeBytes: number): number {
  return Math.max(leastBytes, 2 ** Math.ceil(Math.log2(sizeBytes)));
}
