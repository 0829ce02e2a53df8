import { sha256 } from '../crypto/hash.ts';
import type { ByteString } from '../format/byte-string.ts';
import { Column } from '../index/column.ts';
import { IdTable } from '../index/id-table.ts';
import type { EntryKind } from './archive-entry.ts';
import { entryRefused } from './archive-errors.ts';
import type { EntryPath } from './entry-path.ts';
import type { NodeSpool } from './node-spool.ts';

const none = 0xffff_ffff;
const wordBits = 2 ** 32;
const kinds: readonly EntryKind[] = ['dir', 'file', 'symlink'];

/** Words of an entry. The first that is beneath it, and the next beside it, make the list of a directory. */
const entry = { parent: 0, kind: 1, first: 2, next: 3, inode: 4, name: 5 } as const;
const wordsPerEntry = 7;
/** Words of an inode. `source`: the number of the archive's entry that has its content. */
const inode = { links: 0, source: 1, node: 2 } as const;
const wordsPerInode = 4;

/** The top of the archive, which is a directory. */
export const topEntry = 0;

/**
 * The tree that an archive's entries make, by numbers: packed, about 100 bytes an entry, and names and nodes in a file.
 * A directory's number is lower than those of what is in it. As in a file system, names are of inodes, and a file that
 * comes again is another inode.
 */
export class EntryTree {
  readonly #keys = new IdTable();
  readonly #entries = new Column(wordsPerEntry);
  readonly #inodes = new Column(wordsPerInode);
  readonly #spool: NodeSpool;
  readonly #onMade: () => void;
  #inodeCount = 0;
  #lastFolder = { path: '', entry: topEntry };

  /** @param onMade told of each directory that is made because something is beneath it */
  constructor(spool: NodeSpool, onMade: () => void) {
    this.#spool = spool;
    this.#onMade = onMade;
    this.#add(none, '' as ByteString, 'dir');
  }

  get entryCount(): number {
    return this.#keys.size;
  }

  get inodeCount(): number {
    return this.#inodeCount;
  }

  /** The entry at that path; undefined if there is none. */
  find(path: EntryPath): number | undefined {
    let found: number | undefined = topEntry;
    for (const name of path) found = found === undefined ? undefined : this.#child(found, name);
    return found;
  }

  /**
   * The entry at that path, new or not; directories that are missing above are made.
   * @throws HoldfastError `archive-refused` when something else is there, or in the way
   */
  enter(path: EntryPath, kind: EntryKind): number {
    const folder = this.#folderOf(path);
    const name = path.at(-1);
    const present = name === undefined ? topEntry : this.#child(folder, name);
    if (present === undefined) return this.#add(folder, name ?? ('' as ByteString), kind);
    const before = this.kindOf(present);
    if (before === kind) return present;
    throw entryRefused(
      textOf(path),
      `it is a ${words[kind]}, and the archive has it before as a ${words[before]}`,
    );
  }

  kindOf(number: number): EntryKind {
    return kinds[this.#entries.word(number, entry.kind)] ?? 'file';
  }

  nameOf(number: number): ByteString {
    return this.#spool.nameAt(wide(this.#entries.row(number), entry.name));
  }

  /** undefined for the top. */
  parentOf(number: number): number | undefined {
    return some(this.#entries.word(number, entry.parent));
  }

  pathOf(number: number): ByteString {
    const names: ByteString[] = [];
    for (let at = number; at !== topEntry; at = this.parentOf(at) ?? topEntry) names.push(this.nameOf(at));
    return textOf(names.reverse());
  }

  /** What is in a directory, in no order. */
  *childrenOf(number: number): Generator<number, void> {
    let child = some(this.#entries.word(number, entry.first));
    for (; child !== undefined; child = some(this.#entries.word(child, entry.next))) yield child;
  }

  /** undefined for a directory that was made, and that the archive has no entry of. */
  inodeOf(number: number): number | undefined {
    return some(this.#entries.word(number, entry.inode));
  }

  /** @param source the number of the archive's entry */
  newInode(source: number): number {
    this.#inodes.append([0, source, none, none]);
    this.#inodeCount += 1;
    return this.#inodeCount - 1;
  }

  /** Makes the entry a name of that inode, and of no other. */
  setInode(number: number, to: number): void {
    const row = this.#entries.row(number);
    const before = some(row[entry.inode]);
    this.#inodes.row(to)[inode.links] = this.linksOf(to) + 1;
    if (before !== undefined) this.#inodes.row(before)[inode.links] = this.linksOf(before) - 1;
    row[entry.inode] = to;
  }

  linksOf(number: number): number {
    return this.#inodes.word(number, inode.links);
  }

  sourceOf(number: number): number {
    return this.#inodes.word(number, inode.source);
  }

  /** Where in the spool the inode's node is. */
  nodeOffsetOf(number: number): number {
    return wide(this.#inodes.row(number), inode.node);
  }

  setNodeOffset(number: number, offset: number): void {
    this.#inodes.row(number).set(wordsOf(offset), inode.node);
  }

  #folderOf(path: EntryPath): number {
    const above = path.slice(0, -1);
    const text = above.join('/');
    if (text === this.#lastFolder.path) return this.#lastFolder.entry;
    let folder = topEntry;
    for (const [depth, name] of above.entries()) {
      const present = this.#child(folder, name);
      if (present === undefined) this.#onMade();
      folder = present ?? this.#add(folder, name, 'dir');
      const kind = this.kindOf(folder);
      if (kind === 'dir') continue;
      const inTheWay = `"${textOf(path.slice(0, depth + 1))}" above it is a ${words[kind]}`;
      throw entryRefused(textOf(path), inTheWay);
    }
    this.#lastFolder = { path: text, entry: folder };
    return folder;
  }

  #child(folder: number, name: ByteString): number | undefined {
    const number = this.#keys.find(keyOf(folder, name));
    return number === -1 ? undefined : number;
  }

  #add(parent: number, name: ByteString, kind: EntryKind): number {
    const number = this.#keys.add(keyOf(parent, name));
    const nameAt = this.#spool.addName(name);
    this.#entries.append([parent, kinds.indexOf(kind), none, none, none, ...wordsOf(nameAt)]);
    if (parent === none) return number;
    const [row, above] = [this.#entries.row(number), this.#entries.row(parent)];
    row[entry.next] = above[entry.first] ?? none;
    above[entry.first] = number;
    return number;
  }
}

/** For messages. */
const words: Readonly<Record<EntryKind, string>> = {
  dir: 'directory',
  file: 'file',
  symlink: 'symbolic link',
};

/** A name in a directory, as a number of bits that nobody finds a second one for. */
function keyOf(parent: number, name: ByteString): string {
  return sha256(Buffer.from(`${parent}/${name}`, 'latin1'));
}

function textOf(path: EntryPath): ByteString {
  return path.join('/') as ByteString;
}

function some(word: number | undefined): number | undefined {
  return word === none ? undefined : word;
}

function wordsOf(offset: number): [number, number] {
  return [offset % wordBits, Math.floor(offset / wordBits)];
}

function wide(row: Uint32Array, at: number): number {
  return (row[at] ?? 0) + (row[at + 1] ?? 0) * wordBits;
}
