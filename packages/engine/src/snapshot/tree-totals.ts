import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { IdTable } from '../index/id-table.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { readNodes } from './tree-reader.ts';

export interface NodeTotals {
  /** Each name of a file counts. */
  readonly files: number;
  readonly bytes: number;
}

/** Counts what lies beneath nodes. A tree that occurs again, in whatever snapshot, is read once. One call at a time. */
export class TreeTotals {
  readonly #blobs: BlobReader;
  readonly #trees = new IdTable();
  /** By the number of the tree. */
  readonly #files: number[] = [];
  readonly #bytes: number[] = [];

  constructor(blobs: BlobReader) {
    this.#blobs = blobs;
  }

  /** @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged` */
  async of({ type, size, subtree }: Node, options: Abortable = {}): Promise<NodeTotals> {
    if (subtree !== undefined) return await this.#ofTree(subtree, options);
    return type === 'file' ? { files: 1, bytes: size } : { files: 0, bytes: 0 };
  }

  async #ofTree(id: TreeId, options: Abortable): Promise<NodeTotals> {
    const known = this.#trees.find(id);
    if (known !== -1) return { files: this.#files[known] ?? 0, bytes: this.#bytes[known] ?? 0 };
    throwIfAborted(options.signal);
    let [files, bytes] = [0, 0];
    for (const node of await readNodes(this.#blobs, id, options)) {
      const totals = await this.of(node, options);
      files += totals.files;
      bytes += totals.bytes;
    }
    const number = this.#trees.add(id);
    this.#files[number] = files;
    this.#bytes[number] = bytes;
    return { files, bytes };
  }
}
