const slabBytes = 256 * 1024;
const ownPartBytes = 32 * 1024;

/** Gathers bytes in a row: small pieces are copied together, large ones are kept as they are. */
export class PartList {
  readonly #parts: Uint8Array[] = [];
  #slab = Buffer.alloc(0);
  #slabFilled = 0;
  #totalBytes = 0;

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** The caller must not change `bytes` afterwards. */
  append(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    if (bytes.length >= ownPartBytes) {
      this.#closeSlab();
      this.#parts.push(bytes);
      return;
    }
    if (this.#slabFilled + bytes.length > this.#slab.length) {
      this.#closeSlab();
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
    }
    this.#slab.set(bytes, this.#slabFilled);
    this.#slabFilled += bytes.length;
  }

  parts(): readonly Uint8Array[] {
    this.#closeSlab();
    return this.#parts;
  }

  #closeSlab(): void {
    if (this.#slabFilled === 0) return;
    this.#parts.push(this.#slab.subarray(0, this.#slabFilled));
    this.#slab = this.#slab.subarray(this.#slabFilled);
    this.#slabFilled = 0;
  }
}
