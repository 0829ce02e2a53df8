import type { SpoolFile } from './spool-file.ts';

/** Longer than that is no text that somebody wants to read. */
export const mostTextBytes = 16 * 1024 * 1024;

/** What an archive says of itself is near its top: a description, checksums, a project's files. */
const mostDepth = 3;
const mostFiles = 10_000;
const mostKeptBytes = 256 * 1024 * 1024;

interface Place {
  readonly offset: number;
  sizeBytes: number;
}

/** Contents of small files near the top, so that the archive need not be read again for them. */
export class KeptContents {
  readonly #spool: SpoolFile;
  readonly #places = new Map<number, Place>();

  constructor(spool: SpoolFile) {
    this.#spool = spool;
  }

  /** Whether pieces of this inode are to be added, all of them and in a row. */
  begin(
    inode: number,
    { depth, sizeBytes }: { readonly depth: number; readonly sizeBytes: number },
  ): boolean {
    const hasRoom = this.#places.size < mostFiles && this.#spool.end + sizeBytes <= mostKeptBytes;
    if (depth > mostDepth || sizeBytes > mostTextBytes || !hasRoom) return false;
    this.#places.set(inode, { offset: this.#spool.end, sizeBytes: 0 });
    return true;
  }

  add(inode: number, piece: Uint8Array): void {
    const place = this.#places.get(inode);
    if (place === undefined) return;
    this.#spool.append(piece);
    place.sizeBytes += piece.length;
  }

  /** undefined if it was not kept. */
  read(inode: number): Buffer | undefined {
    const place = this.#places.get(inode);
    if (place === undefined) return undefined;
    const bytes = Buffer.alloc(place.sizeBytes);
    this.#spool.read(bytes, place.offset);
    return bytes;
  }
}
