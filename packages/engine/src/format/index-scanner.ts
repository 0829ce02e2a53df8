import { asId, idBytes, readIdText } from './id-codec.ts';
import type { IndexId } from './ids.ts';
import { columnsOf, type IndexColumns, IndexColumnsBuilder } from './index-columns.ts';
import { decodeIndexFile } from './index-file.ts';

/**
 * The same as `decodeIndexFile`, packed. Text as restic and Holdfast write it goes from its bytes right into the columns;
 * any other goes through `decodeIndexFile`.
 * @throws HoldfastError `repository-damaged`; `what` names the file in the message
 */
export function decodeIndexColumns(bytes: Uint8Array, what: string): IndexColumns {
  return new IndexScanner(bytes).scan() ?? columnsOf(decodeIndexFile(bytes, what));
}

const shortestPack = `{"id":"${'0'.repeat(64)}","blobs":[]}`.length;
const shortestBlob = `{"id":"${'0'.repeat(64)}","type":"data","offset":0,"length":0}`.length;
const maxUint32 = 0xffff_ffff;
const digitZero = 0x30;

class IndexScanner {
  readonly #bytes: Uint8Array;
  readonly #columns: IndexColumnsBuilder;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const most = (shortest: number): number => Math.ceil(bytes.length / shortest);
    this.#columns = new IndexColumnsBuilder(most(shortestPack), most(shortestBlob));
  }

  /** undefined for text that is written differently. */
  scan(): IndexColumns | undefined {
    if (this.#accept('{"supersedes":[')) {
      if (!this.#list(() => this.#superseded()) || !this.#accept(',')) return undefined;
    } else if (!this.#accept('{')) return undefined;
    if (!this.#accept('"packs":[') || !this.#list(() => this.#pack()) || !this.#accept('}')) return undefined;
    this.#accept('\n');
    return this.#at === this.#bytes.length ? this.#columns : undefined;
  }

  /** Items, of which there may be none, and the end of the array. */
  #list(item: () => boolean): boolean {
    if (this.#accept(']')) return true;
    do {
      if (!item()) return false;
    } while (this.#accept(','));
    return this.#accept(']');
  }

  #superseded(): boolean {
    const id = new Uint8Array(idBytes);
    if (!this.#accept('"') || !this.#idInto(id, 0) || !this.#accept('"')) return false;
    this.#columns.supersedes.push(asId<IndexId>(Buffer.from(id).toString('hex')));
    return true;
  }

  #pack(): boolean {
    const { packIds, packCount } = this.#columns;
    const isPack =
      this.#accept('{"id":"') && this.#idInto(packIds, packCount * idBytes) && this.#accept('","blobs":[');
    if (!isPack) return false;
    this.#columns.packCount += 1;
    return this.#list(() => this.#blob()) && this.#accept('}');
  }

  #blob(): boolean {
    const columns = this.#columns;
    if (!this.#accept('{"id":"') || !this.#idInto(columns.blobIds, columns.blobCount * idBytes)) return false;
    if (!this.#accept('","type":"')) return false;
    const isTree = this.#accept('tree');
    if (!isTree && !this.#accept('data')) return false;
    if (!this.#accept('","offset":')) return false;
    const offset = this.#count();
    if (!this.#accept(',"length":')) return false;
    const length = this.#count();
    const uncompressedLength = this.#accept(',"uncompressed_length":') ? this.#count() : 0;
    if (offset === -1 || length === -1 || uncompressedLength === -1 || !this.#accept('}')) return false;
    columns.endBlob(isTree, offset, length, uncompressedLength);
    return true;
  }

  #accept(text: string): boolean {
    for (let index = 0; index < text.length; index += 1) {
      if (this.#bytes[this.#at + index] !== text.charCodeAt(index)) return false;
    }
    this.#at += text.length;
    return true;
  }

  /** From 64 digits to 32 bytes. */
  #idInto(into: Uint8Array, offset: number): boolean {
    const start = this.#at;
    this.#at += 2 * idBytes;
    return readIdText(this.#bytes, start, into, offset);
  }

  /** From 0 to 2^32 - 1, without needless zeros; -1 for anything else. */
  #count(): number {
    const start = this.#at;
    let value = 0;
    for (let digit = this.#digit(); digit >= 0; digit = this.#digit()) {
      value = value * 10 + digit;
      if (value > maxUint32) return -1;
      this.#at += 1;
    }
    const digits = this.#at - start;
    const hasNeedlessZero = digits > 1 && this.#bytes[start] === digitZero;
    return digits === 0 || hasNeedlessZero ? -1 : value;
  }

  #digit(): number {
    const digit = (this.#bytes[this.#at] ?? 0) - digitZero;
    return digit <= 9 ? digit : -1;
  }
}
