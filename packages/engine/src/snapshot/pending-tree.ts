import type { EncodedNode } from '../format/encoded-node.ts';
import type { Node } from '../format/node.ts';
import type { NodeEncoder } from '../format/node-encoder.ts';
import { TreeEncoder } from '../format/tree-codec.ts';
import type { ParentTree } from './parent-tree.ts';

/** A node of a tree, or the promise of one. A promise of `undefined` is a node that could not be made. */
export type TreeEntry = Node | EncodedNode | Promise<Node | undefined>;

/**
 * A tree some of whose nodes are still being made. Nodes are encoded as soon as all before them are there, so that
 * what waits is text and not objects; a row of nodes that stands so in another tree is one piece of that.
 */
export class PendingTree {
  readonly #nodes: NodeEncoder;
  #encoder: TreeEncoder | undefined;
  /** The end of what was pushed, while more of the same row may follow. */
  #row: EncodedNode | undefined;
  /** What comes after the promise that is waited for. */
  #waiting: TreeEntry[] = [];
  #adding: Promise<void> | undefined;

  constructor(nodes: NodeEncoder) {
    this.#nodes = nodes;
  }

  /** Entries come in the order of their names. */
  push(entry: TreeEntry): void {
    const isEncoded = 'bytes' in entry;
    const joined = isEncoded && this.#row !== undefined ? join(this.#row, entry) : undefined;
    if (joined === undefined) this.#endRow();
    if (isEncoded) this.#row = joined ?? entry;
    else this.#give(entry);
  }

  /** True if the parent has the same nodes, written the same way: then this tree is the parent's. */
  isWholeOf(parent: ParentTree): boolean {
    return this.#encoder === undefined && this.#adding === undefined && parent.isWhole(this.#row);
  }

  /** The tree's plaintext, when all nodes are there. Rejects as the first of them that did. */
  async finish(): Promise<Buffer> {
    this.#endRow();
    await this.#adding;
    this.#encoder ??= new TreeEncoder(this.#nodes);
    return this.#encoder.finish();
  }

  #endRow(): void {
    if (this.#row !== undefined) this.#give(this.#row);
    this.#row = undefined;
  }

  #give(entry: TreeEntry): void {
    if (this.#adding === undefined && !(entry instanceof Promise)) {
      this.#add(entry);
      return;
    }
    this.#waiting.push(entry);
    // Its failure is told when its turn comes.
    if (entry instanceof Promise) entry.catch(() => {});
    this.#adding ??= this.#addWaiting();
    this.#adding.catch(() => {});
  }

  async #addWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting;
      this.#waiting = [];
      for (const entry of entries) {
        const node = entry instanceof Promise ? await entry : entry;
        if (node !== undefined) this.#add(node);
      }
    }
    this.#adding = undefined;
  }

  #add(entry: Node | EncodedNode): void {
    this.#encoder ??= new TreeEncoder(this.#nodes);
    if ('bytes' in entry) this.#encoder.addEncoded(entry);
    else this.#encoder.add(entry);
  }
}

/** Both as one, if only the comma of an array is between them. */
function join(before: EncodedNode, after: EncodedNode): EncodedNode | undefined {
  if (before.bytes !== after.bytes || before.end + 1 !== after.start) return undefined;
  return { ...before, end: after.end, lastName: after.lastName };
}
