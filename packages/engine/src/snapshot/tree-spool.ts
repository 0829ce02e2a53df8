import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readUpTo } from '../filesystem/read-up-to.ts';
import type { TreeId } from '../format/ids.ts';

interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * Trees that backups of this process saved or read, in a file on local storage: the next backup of the same sources
 * compares with them, and asks nothing of the repository for it.
 */
export class TreeSpool implements Disposable {
  readonly #file: number;
  readonly #places = new Map<TreeId, Place>();
  readonly #records = new Map<TreeId, Place>();
  #end = 0;

  /** @param directory existing; the file in it has no name and goes with the process */
  constructor(directory: string) {
    const folder = mkdtempSync(join(directory, 'trees-'));
    this.#file = openSync(join(folder, 'spool'), 'wx+', 0o600);
    rmSync(folder, { recursive: true });
  }

  add(id: TreeId, plaintext: Uint8Array): void {
    if (!this.#places.has(id)) this.#places.set(id, this.#append(plaintext));
  }

  /** What was seen of the directory that is this tree: see `DirectoryRecord`. The last one counts. */
  addRecord(id: TreeId, record: Uint8Array): void {
    this.#records.set(id, this.#append(record));
  }

  /** The tree's plaintext, in memory of its own; undefined if it was never added. */
  read(id: TreeId): Buffer | undefined {
    return this.#read(this.#places.get(id));
  }

  readRecord(id: TreeId): Buffer | undefined {
    return this.#read(this.#records.get(id));
  }

  #append(piece: Uint8Array): Place {
    const place = { offset: this.#end, length: piece.length };
    for (let written = 0; written < piece.length; ) {
      written += writeSync(this.#file, piece, written, piece.length - written, this.#end + written);
    }
    this.#end += piece.length;
    return place;
  }

  #read(place: Place | undefined): Buffer | undefined {
    if (place === undefined) return undefined;
    const bytes = Buffer.allocUnsafeSlow(place.length);
    return readUpTo(this.#file, bytes, place.offset) === bytes.length ? bytes : undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
