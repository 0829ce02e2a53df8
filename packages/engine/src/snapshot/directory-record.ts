import { type FileStatus, isRegularFile } from '../filesystem/file-status.ts';
import { statusPrintBytes } from '../filesystem/status-print.ts';
import type { ByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';

/** Regular files and what they hold. */
export interface FileCount {
  readonly files: number;
  readonly bytes: number;
}

/** A directory below, by the place of its name, and the tree that it was saved as. */
export interface ChildTree {
  readonly position: number;
  readonly treeId: TreeId;
}

const headerBytes = 24;
const treeIdLength = 64;
const childBytes = 4 + treeIdLength;

/**
 * What a pass saw of the entries of one directory, as the kernel told it: a later pass that sees the same needs to look no
 * further. In one piece of memory: counts, names, a status print for each, the trees of directories below.
 */
export class DirectoryRecord {
  readonly #bytes: Buffer;
  readonly #entries: number;
  readonly #namesEnd: number;
  readonly #printsEnd: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#entries = bytes.readUInt32LE(0);
    this.#namesEnd = headerBytes + bytes.readUInt32LE(4);
    this.#printsEnd = this.#namesEnd + this.#entries * statusPrintBytes;
  }

  get own(): FileCount {
    return { files: this.#bytes.readDoubleLE(8), bytes: this.#bytes.readDoubleLE(16) };
  }

  hasNames(names: readonly ByteString[]): boolean {
    return (
      names.length === this.#entries &&
      this.#bytes.toString('latin1', headerBytes, this.#namesEnd) === joinNames(names)
    );
  }

  /** Whether the entry at this place in the order of names had this print. */
  hasPrint(position: number, print: Buffer): boolean {
    const start = this.#namesEnd + position * statusPrintBytes;
    return this.#bytes.compare(print, 0, statusPrintBytes, start, start + statusPrintBytes) === 0;
  }

  *children(): Generator<ChildTree, void> {
    for (let at = this.#printsEnd; at < this.#bytes.length; at += childBytes) {
      yield {
        position: this.#bytes.readUInt32LE(at),
        treeId: this.#bytes.toString('latin1', at + 4, at + childBytes) as TreeId,
      };
    }
  }
}

/** A record while its directory is walked. */
export class DirectoryRecordDraft {
  readonly #names: readonly ByteString[];
  readonly #prints: Buffer;
  readonly #children: { readonly position: number; readonly treeId: TreeId | Promise<TreeId> }[] = [];
  readonly #deviceId: bigint;
  #isWhole = true;
  #seen = 0;
  #files = 0;
  #bytes = 0;

  /** @param deviceId of the directory: one that has entries on another file system is not recorded */
  constructor(names: readonly ByteString[], deviceId: bigint) {
    this.#names = names;
    this.#deviceId = deviceId;
    this.#prints = Buffer.allocUnsafeSlow(names.length * statusPrintBytes);
  }

  /** Where the entry that was added last is in the order of names. */
  get lastPosition(): number {
    return this.#seen - 1;
  }

  /** The next entry in the order of names. */
  add(copyPrint: (into: Buffer, at: number) => void, status: FileStatus): void {
    copyPrint(this.#prints, this.#seen * statusPrintBytes);
    this.#seen += 1;
    if (status.deviceId !== this.#deviceId) this.#isWhole = false;
    if (!isRegularFile(status)) return;
    this.#files += 1;
    this.#bytes += status.size;
  }

  addChild(position: number, treeId: TreeId | Promise<TreeId>): void {
    // Its failure is told elsewhere.
    if (treeId instanceof Promise) treeId.catch(() => {});
    this.#children.push({ position, treeId });
  }

  /** Once all trees below are saved; undefined if an entry could not be looked at, or is on another file system. */
  async finish(): Promise<Buffer | undefined> {
    if (!this.#isWhole || this.#seen !== this.#names.length) return undefined;
    const names = Buffer.from(joinNames(this.#names), 'latin1');
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(this.#names.length, 0);
    header.writeUInt32LE(names.length, 4);
    header.writeDoubleLE(this.#files, 8);
    header.writeDoubleLE(this.#bytes, 16);
    const children: Buffer[] = [];
    for (const { position, treeId } of this.#children) {
      const child = Buffer.alloc(childBytes);
      child.writeUInt32LE(position, 0);
      child.write(await treeId, 4, 'latin1');
      children.push(child);
    }
    return Buffer.concat([header, names, this.#prints, ...children]);
  }
}

/** No name has a slash. */
function joinNames(names: readonly ByteString[]): string {
  return names.join('/');
}
