const initialBytes = 4096;
/** Longer documents are in pieces of this length, so that they are not copied again and again as they grow. */
const pieceBytes = 1 << 20;
const digitZero = 0x30;

/** Bytes that grow at their end: for documents that are written bit by bit, without a string for each bit. */
export class ByteWriter {
  #full: Buffer[] = [];
  #fullBytes = 0;
  #bytes: Buffer = Buffer.allocUnsafeSlow(initialBytes);
  #length = 0;

  get length(): number {
    return this.#fullBytes + this.#length;
  }

  /** What was written: good until the next write. */
  get written(): Buffer {
    const last = this.#bytes.subarray(0, this.#length);
    return this.#full.length === 0 ? last : Buffer.concat([...this.#full, last]);
  }

  /** What was written, which is forgotten here. */
  take(): Buffer {
    const { written } = this;
    this.clear();
    this.#bytes = Buffer.alloc(0);
    return written;
  }

  clear(): void {
    this.#full = [];
    this.#fullBytes = 0;
    this.#length = 0;
  }

  /** Every character is one byte. */
  text(value: string): void {
    const { length } = value;
    this.#reserve(length);
    const bytes = this.#bytes;
    const start = this.#length;
    if (length > longestLoop) bytes.write(value, start, 'latin1');
    else for (let at = 0; at < length; at += 1) bytes[start + at] = value.charCodeAt(at);
    this.#length = start + length;
  }

  /** A whole number from 0 to 2^53 - 1, in decimal, with zeros before it up to that width. */
  decimal(value: number, width = 1): void {
    let digits = width;
    for (let limit = 10 ** width; value >= limit; limit *= 10) digits += 1;
    this.#reserve(digits);
    const bytes = this.#bytes;
    let rest = value;
    for (let at = this.#length + digits - 1; at >= this.#length; at -= 1) {
      const above = Math.floor(rest / 10);
      bytes[at] = digitZero + (rest - above * 10);
      rest = above;
    }
    this.#length += digits;
  }

  bytes(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.#bytes.set(source.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const last = this.#bytes.subarray(0, this.#length);
    if (needed <= pieceBytes) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.min(pieceBytes, Math.max(needed, 2 * this.#bytes.length)));
      this.#bytes.set(last);
      return;
    }
    this.#full.push(last);
    this.#fullBytes += this.#length;
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(pieceBytes, count));
    this.#length = 0;
  }
}

/** Beyond this a call into the engine costs less than a loop. */
const longestLoop = 48;
