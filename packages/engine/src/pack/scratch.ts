const leastBytes = 64 * 1024;
/** More than that is not kept: hardly any blob is as large. */
const mostKeptBytes = 16 * 1024 * 1024;

/** Memory for one thing at a time, used again and again. */
export class Scratch {
  #memory: Uint8Array = Buffer.allocUnsafeSlow(0);

  /** What was taken before is no longer good. */
  take(sizeBytes: number): Uint8Array {
    if (sizeBytes > mostKeptBytes) return Buffer.allocUnsafeSlow(sizeBytes);
    if (sizeBytes > this.#memory.length) {
      this.#memory = Buffer.allocUnsafeSlow(Math.max(leastBytes, 2 ** Math.ceil(Math.log2(sizeBytes))));
    }
    return this.#memory.subarray(0, sizeBytes);
  }
}
