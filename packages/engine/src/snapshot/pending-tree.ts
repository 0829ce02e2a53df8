import type { TimeZone } from '../format/file-time.ts';
import type { Node } from '../format/node.ts';
import { TreeEncoder } from '../format/tree-codec.ts';

/**
 * A tree some of whose nodes are still being made. Nodes are encoded as soon as all before them are there, so that
 * what waits is text and not objects.
 */
export class PendingTree {
  readonly #encoder: TreeEncoder;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(zone: TimeZone) {
    this.#encoder = new TreeEncoder(zone);
  }

  /** Nodes come in the order of their names. `undefined` is one that could not be made: it is left out. */
  push(entry: Node | Promise<Node | undefined>): void {
    if (!(entry instanceof Promise) && this.#waiting === 0) {
      this.#encoder.add(entry);
      return;
    }
    this.#waiting += 1;
    this.#tail = this.#addAfter(this.#tail, entry);
    this.#tail.catch(() => {});
  }

  /** The tree's plaintext, when all nodes are there. Rejects as the first of them that did. */
  async finish(): Promise<Buffer> {
    await this.#tail;
    return this.#encoder.finish();
  }

  async #addAfter(earlier: Promise<void>, entry: Node | Promise<Node | undefined>): Promise<void> {
    const [node] = await Promise.all([entry, earlier]);
    if (node !== undefined) this.#encoder.add(node);
    this.#waiting -= 1;
  }
}
