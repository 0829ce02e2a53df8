const headBytes = 64 * 1024;
const tailBytes = 64 * 1024;

/** The beginning and the end of a stream of any length, in bounded memory. */
export class BoundedText {
  #head = Buffer.alloc(0);
  /** The last pieces, some more than are needed. */
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  #bytes = 0;

  /** All that was added. */
  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    const room = headBytes - this.#head.length;
    if (room > 0) this.#head = Buffer.concat([this.#head, bytes.subarray(0, room)]);
    const rest = bytes.subarray(Math.max(0, room));
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    if (this.#tailBytes > 2 * tailBytes) this.#trim();
  }

  #trim(): void {
    const kept = Buffer.concat(this.#tail).subarray(-tailBytes);
    this.#tail = [kept];
    this.#tailBytes = kept.length;
  }

  /** With a line in the middle that says how much is left out. What is no UTF-8 becomes U+FFFD. */
  toString(): string {
    this.#trim();
    const [tail = Buffer.alloc(0)] = this.#tail;
    const left = this.#bytes - this.#head.length - tail.length;
    const gap = left > 0 ? `\n[${left} bytes left out]\n` : '';
    return `${this.#head.toString('utf8')}${gap}${Buffer.from(tail).toString('utf8')}`;
  }
}
