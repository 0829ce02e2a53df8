import { archiveDamaged } from './archive-errors.ts';

/** Reads pieces of any length as if they were one. */
export class ByteReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #left: Uint8Array = Buffer.alloc(0);

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /**
   * Exactly so many bytes, in memory of their own; undefined at the very end.
   * @throws HoldfastError `archive-damaged` where it ends before
   */
  async readExactly(lengthBytes: number): Promise<Buffer | undefined> {
    const bytes = Buffer.allocUnsafe(lengthBytes);
    for (let filled = 0; filled < lengthBytes; ) {
      const piece = await this.readSome(lengthBytes - filled);
      if (piece === undefined && filled === 0) return undefined;
      if (piece === undefined) throw cutOff();
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }

  /** What comes next, at most so many bytes and at least one; undefined at the end. */
  async readSome(mostBytes: number): Promise<Uint8Array | undefined> {
    while (this.#left.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return undefined;
      this.#left = value;
    }
    const piece = this.#left.subarray(0, mostBytes);
    this.#left = this.#left.subarray(piece.length);
    return piece;
  }

  /** Never throws: what ended the reading before is what counts. */
  async close(): Promise<void> {
    try {
      await this.#pieces.return?.();
    } catch {}
  }
}

export function cutOff(): Error {
  return archiveDamaged('it ends in the middle of an entry');
}

/** So many bytes of a reader that may be left unread: then `skip` passes over them. */
export class ContentReader implements AsyncIterable<Uint8Array> {
  readonly #reader: ByteReader;
  #leftBytes: number;

  constructor(reader: ByteReader, sizeBytes: number) {
    this.#reader = reader;
    this.#leftBytes = sizeBytes;
  }

  /** @throws HoldfastError `archive-damaged` where the reader ends before */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    while (this.#leftBytes > 0) yield await this.#next();
  }

  async skip(): Promise<void> {
    while (this.#leftBytes > 0) await this.#next();
  }

  async #next(): Promise<Uint8Array> {
    const piece = await this.#reader.readSome(this.#leftBytes);
    if (piece === undefined) throw cutOff();
    this.#leftBytes -= piece.length;
    return piece;
  }
}
