const leastBytes = 64 * 1024;
const mostSpareBytes = 32 * 1024 * 1024;

/** Memory that is used again by one thread: what is thrown away has to be collected first. */
export class SpareMemory {
  readonly #spare: Buffer[] = [];
  #spareBytes = 0;

  /** At least that much. */
  take(sizeBytes: number): Buffer {
    const fitting = this.#spare.findIndex(
      ({ length }) => length >= sizeBytes && length <= 4 * sizeBytes + leastBytes,
    );
    if (fitting === -1) return this.allocate(roundUp(sizeBytes));
    const [memory] = this.#spare.splice(fitting, 1);
    this.#spareBytes -= memory?.length ?? 0;
    return memory ?? this.allocate(sizeBytes);
  }

  /** The caller uses it no more. */
  give(memory: Buffer): void {
    if (this.#spareBytes + memory.length > mostSpareBytes) return;
    this.#spare.push(memory);
    this.#spareBytes += memory.length;
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

/** Few different sizes, so that most of them fit the next time. */
function roundUp(sizeBytes: number): number {
  return sizeBytes <= leastBytes ? leastBytes : Math.ceil(sizeBytes / (256 * 1024)) * 256 * 1024;
}
