import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readUpTo } from '../filesystem/read-up-to.ts';
import { targetError } from '../filesystem/system-error.ts';
import { toByteString } from '../format/byte-string.ts';

const pendingBytes = 256 * 1024;

/** A file without a name that goes with the process: for what is too much for memory. */
export class SpoolFile implements Disposable {
  readonly #file: number;
  readonly #directory: string;
  readonly #pending = Buffer.allocUnsafeSlow(pendingBytes);
  #pendingLength = 0;
  #writtenBytes = 0;

  /** @param directory existing, on local storage. @throws HoldfastError `target-full`, `target-not-writable` */
  constructor(directory: string = tmpdir()) {
    this.#directory = directory;
    try {
      const folder = mkdtempSync(join(directory, 'holdfast-archive-'));
      this.#file = openSync(join(folder, 'spool'), 'wx+', 0o600);
      rmSync(folder, { recursive: true });
    } catch (error) {
      throw targetError(error, toByteString(directory));
    }
  }

  /** Where the next piece will be. */
  get end(): number {
    return this.#writtenBytes + this.#pendingLength;
  }

  /** Answers where it is. @throws HoldfastError `target-full`, `target-not-writable` */
  append(piece: Uint8Array): number {
    const offset = this.end;
    if (this.#pendingLength + piece.length > pendingBytes) this.#flush();
    if (piece.length > pendingBytes) this.#write(piece);
    else {
      this.#pending.set(piece, this.#pendingLength);
      this.#pendingLength += piece.length;
    }
    return offset;
  }

  /** Fills the memory from that place on; answers how much there was. */
  read(into: Buffer, offset: number): number {
    if (offset + into.length > this.#writtenBytes) this.#flush();
    return readUpTo(this.#file, into, offset);
  }

  #flush(): void {
    this.#write(this.#pending.subarray(0, this.#pendingLength));
    this.#pendingLength = 0;
  }

  #write(piece: Uint8Array): void {
    try {
      for (let written = 0; written < piece.length; ) {
        written += writeSync(
          this.#file,
          piece,
          written,
          piece.length - written,
          this.#writtenBytes + written,
        );
      }
    } catch (error) {
      throw targetError(error, toByteString(this.#directory));
    }
    this.#writtenBytes += piece.length;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
