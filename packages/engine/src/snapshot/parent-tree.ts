import type { ByteString } from '../format/byte-string.ts';
import type { ByteWriter } from '../format/byte-writer.ts';
import {
  type EncodedNode,
  endOfDirectory,
  endOfFile,
  endOfOther,
  findSubtree,
  type IsKnown,
} from '../format/encoded-node.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { NodeHead } from '../format/node-encoder.ts';
import { TreeCursor } from '../format/tree-cursor.ts';
import type { TreeReadAhead } from './tree-read-ahead.ts';

/** For how many directories ahead of the walk trees are read. */
const directoriesAhead = 16;

/** The part of a node before its content, as it would be written now. */
export interface EncodedHead {
  readonly node: NodeHead;
  readonly written: ByteWriter;
}

export interface KeptDirectory {
  readonly encoded: EncodedNode;
  readonly subtree: TreeId;
}

export interface ParentTreeParts {
  readonly treeId: TreeId;
  readonly bytes: Uint8Array;
  readonly trees: TreeReadAhead;
  /** Called when the nodes cannot be read on; then the rest of them is not known. */
  readonly onDamage: (error: unknown) => void;
}

/**
 * One directory of the backup before this one, read alongside its present state: both are in the order of names, and
 * names have to be asked for in ascending order. What would be written again with the same bytes is not decoded.
 */
export class ParentTree implements Disposable {
  readonly #parts: ParentTreeParts | undefined;
  #cursor: TreeCursor | undefined;
  /** Directories that are not passed yet, whose trees are being read already. */
  readonly #wanted: { readonly at: number; readonly subtree: TreeId }[] = [];
  /** Up to where directories were looked for. */
  #searched = 0;

  /** Without parts: a directory that the backup before did not have. */
  constructor(parts?: ParentTreeParts) {
    this.#parts = parts;
    this.#guard(() => {
      this.#cursor = parts && new TreeCursor(parts.bytes);
    });
    this.#wantAhead();
  }

  get treeId(): TreeId | undefined {
    return this.#parts?.treeId;
  }

  /** The node of that name, if there was one. */
  find(name: ByteString): Node | undefined {
    return this.#guard(() => this.#seek(name));
  }

  /** The file as it is written already, if only its content is not known from its head, and all of it is there. */
  keepFile(head: EncodedHead, isKnown: IsKnown): EncodedNode | undefined {
    return this.#keep(head, (bytes, at) => endOfFile(bytes, at, isKnown));
  }

  /** What has no content, as it is written already. */
  keepOther(head: EncodedHead): EncodedNode | undefined {
    return this.#keep(head, endOfOther);
  }

  /** A directory as it is written already, with the tree that it had. */
  keepDirectory(head: EncodedHead): KeptDirectory | undefined {
    let subtree: TreeId | undefined;
    const encoded = this.#keep(head, (bytes, at) => {
      const found = endOfDirectory(bytes, at);
      subtree = found?.subtree;
      return found?.end ?? -1;
    });
    return encoded && subtree && { encoded, subtree };
  }

  /** True if these are all nodes that the directory had: then its tree is the same. */
  isWhole(kept: EncodedNode | undefined): boolean {
    return this.#cursor?.isWhole(kept) === true;
  }

  /** No more names will be asked for. */
  [Symbol.dispose](): void {
    for (const { subtree } of this.#wanted.splice(0)) this.#parts?.trees.drop(subtree);
  }

  #keep(
    { written, node }: EncodedHead,
    endOf: (bytes: Buffer, at: number) => number,
  ): EncodedNode | undefined {
    return this.#guard(() => {
      if (!this.#isNext(written)) this.#seek(node.name);
      const cursor = this.#cursor;
      if (cursor === undefined || !this.#isNext(written)) return undefined;
      const { start, bytes } = cursor;
      const end = endOf(bytes, start + written.length);
      if (end === -1) return undefined;
      cursor.advanceFrom(end);
      return { bytes, start, end, firstName: node.name, lastName: node.name };
    });
  }

  #isNext(head: ByteWriter): boolean {
    const cursor = this.#cursor;
    if (cursor === undefined || cursor.start === -1) return false;
    const end = Math.min(cursor.start + head.length, cursor.bytes.length);
    return head.written.compare(cursor.bytes, cursor.start, end) === 0;
  }

  /** Goes to the first node that is not before that name, and returns it if it has that name. */
  #seek(name: ByteString): Node | undefined {
    for (let node = this.#cursor?.node; node !== undefined && node.name <= name; node = this.#cursor?.node) {
      if (node.name === name) return node;
      this.#cursor?.advance();
    }
    return undefined;
  }

  /** Damage ends the reading of this tree. */
  #guard<Result>(read: () => Result): Result | undefined {
    try {
      this.#dropPassed();
      return read();
    } catch (error) {
      this.#cursor = undefined;
      this.#dropPassed();
      this.#parts?.onDamage(error);
      return undefined;
    }
  }

  /** Once a directory is passed, its tree was taken, or is not needed. */
  #dropPassed(): void {
    const [first] = this.#wanted;
    const position = this.#cursor === undefined || this.#cursor.start === -1 ? Infinity : this.#cursor.start;
    if (first === undefined || first.at > position) return;
    while (this.#wanted[0] !== undefined && this.#wanted[0].at <= position) {
      const passed = this.#wanted.shift();
      if (passed !== undefined) this.#parts?.trees.drop(passed.subtree);
    }
    this.#wantAhead();
  }

  #wantAhead(): void {
    const { bytes } = this.#cursor ?? {};
    while (bytes !== undefined && this.#wanted.length < directoriesAhead) {
      const found = findSubtree(bytes, this.#searched);
      this.#searched = found === undefined ? bytes.length : found.at + 1;
      if (found === undefined) return;
      this.#wanted.push(found);
      this.#parts?.trees.want(found.subtree);
    }
  }
}
