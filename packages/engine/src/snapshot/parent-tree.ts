import type { ByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import { nodesAhead, type TreeReadAhead } from './tree-read-ahead.ts';

/** One directory of the backup before this one, read alongside its present state: both are in the order of names. */
export class ParentTree {
  readonly #nodes: Iterator<Node, void>;
  readonly #trees: TreeReadAhead;
  readonly #onDamage: (error: unknown) => void;
  /** The next nodes in order, whose subtrees are being read already. */
  #queue: Node[] = [];
  #at = 0;
  #hasMore = true;

  /** `onDamage` is called when the nodes cannot be read on; then the rest of them is not known. */
  constructor(nodes: Iterator<Node, void>, trees: TreeReadAhead, onDamage: (error: unknown) => void) {
    this.#nodes = nodes;
    this.#trees = trees;
    this.#onDamage = onDamage;
  }

  /** The node of that name, if there was one. Names have to be asked for in ascending order. */
  find(name: ByteString): Node | undefined {
    for (let node = this.#peek(); node !== undefined && node.name <= name; node = this.#peek()) {
      if (node.name === name) return node;
      this.#skip(node);
    }
    return undefined;
  }

  #peek(): Node | undefined {
    if (this.#at === this.#queue.length && this.#hasMore) this.#fill();
    return this.#queue[this.#at];
  }

  #skip(node: Node): void {
    if (node.subtree !== undefined) this.#trees.drop(node.subtree);
    this.#at += 1;
  }

  #fill(): void {
    this.#queue = [];
    this.#at = 0;
    try {
      while (this.#queue.length < nodesAhead && this.#hasMore) this.#readNext();
    } catch (error) {
      this.#hasMore = false;
      this.#onDamage(error);
    }
  }

  #readNext(): void {
    const { done, value } = this.#nodes.next();
    this.#hasMore = !done;
    if (!value) return;
    this.#queue.push(value);
    if (value.subtree !== undefined) this.#trees.want(value.subtree);
  }
}
