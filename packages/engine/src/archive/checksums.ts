import { createHash } from 'node:crypto';
import type { ByteString } from '../format/byte-string.ts';
import type { BlobPiece, LatePiece } from './read-pieces.ts';

/** A file of checksums is made when it would be longer than this. */
const mostBytes = 1024 * 1024;

/** A file whose content is known when all before it was read, and its length before. */
export interface ArchiveText extends LatePiece {
  readonly path: ByteString;
  readonly sizeBytes: number;
}

/** Lines for `sha256sum -c`, a file of them whenever there are many: what they take in memory is bounded. */
export class Checksums {
  readonly #folder: ByteString;
  #lines: { readonly path: ByteString; readonly digest: () => string }[] = [];
  #bytes = 0;
  #files = 0;

  constructor(folder: ByteString) {
    this.#folder = folder;
  }

  get isFull(): boolean {
    return this.#bytes > mostBytes;
  }

  /** `digest` is asked when the content was read. */
  add(path: ByteString, digest: () => string): void {
    const name = path.slice(1) as ByteString;
    this.#lines.push({ path: name, digest });
    this.#bytes += lineOf(name, '').length + 64;
  }

  /** A blob is known by its SHA-256: only what is of several has to be hashed. */
  addBlobs(path: ByteString, blobs: readonly BlobPiece[]): readonly BlobPiece[] {
    const [first, ...more] = blobs;
    if (first !== undefined && more.length === 0) {
      this.add(path, () => first.id);
      return blobs;
    }
    const hash = createHash('sha256');
    this.add(path, () => hash.digest('hex'));
    return blobs.map((blob) => ({ ...blob, hash }));
  }

  /** The file of those that were added since the last; undefined if none was. */
  take(): ArchiveText | undefined {
    const lines = this.#lines;
    if (lines.length === 0) return undefined;
    this.#files += 1;
    const path = `${this.#folder}/${String(this.#files).padStart(4, '0')}.sha256` as ByteString;
    const make = (): Buffer =>
      Buffer.from(lines.map(({ path: name, digest }) => lineOf(name, digest())).join(''), 'latin1');
    const sizeBytes = this.#bytes;
    this.#lines = [];
    this.#bytes = 0;
    return { path, sizeBytes, make };
  }
}

/** A name with a backslash or a line's end is escaped, and its line begins with a backslash. */
function lineOf(name: ByteString, digest: string): string {
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === name ? '' : '\\'}${digest}  ${escaped}\n`;
}
