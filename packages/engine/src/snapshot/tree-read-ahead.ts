import type { Abortable } from '@holdfast/base';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { decodeNodes } from '../format/tree-codec.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import type { TreeSpool } from './tree-spool.ts';

export interface TreeReadAheadOptions extends Abortable {
  /** Asked first, and given what was read from the repository. */
  readonly spool?: TreeSpool | undefined;
}

const mostBytesAhead = 8 * 1024 * 1024;

/**
 * Reads trees before they are asked for, so that a walk from directory to directory does not wait for each.
 * What is read ahead takes bounded memory; what does not fit is read when it is asked for.
 */
export class TreeReadAhead {
  readonly #blobs: BlobReader;
  readonly #spool: TreeSpool | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #ahead = new Map<TreeId, Promise<Uint8Array>>();
  #bytesAhead = 0;

  constructor(blobs: BlobReader, { spool, signal }: TreeReadAheadOptions = {}) {
    this.#blobs = blobs;
    this.#spool = spool;
    this.#signal = signal;
  }

  /** Memory that trees take which were read ahead, and neither taken nor dropped yet. */
  get bytesAhead(): number {
    return this.#bytesAhead;
  }

  /** Says that the tree will be needed soon. Each is later taken or dropped. */
  want(treeId: TreeId): void {
    const size = this.#blobs.blobSizeBytes('tree', treeId);
    if (size === undefined || this.#ahead.has(treeId) || this.#bytesAhead + size > mostBytesAhead) return;
    this.#bytesAhead += size;
    const reading = this.#read(treeId);
    // A failure belongs to who takes the tree.
    reading.catch(() => {});
    this.#ahead.set(treeId, reading);
  }

  /** The tree's nodes, one by one. @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged` */
  async take(treeId: TreeId): Promise<Generator<Node, void>> {
    return decodeNodes(await this.takeBytes(treeId));
  }

  /** The tree's plaintext. @throws HoldfastError `blob-missing`, `blob-damaged` */
  async takeBytes(treeId: TreeId): Promise<Uint8Array> {
    const reading = this.#ahead.get(treeId) ?? this.#read(treeId);
    this.drop(treeId);
    return await reading;
  }

  /** Says that the tree is not needed after all. */
  drop(treeId: TreeId): void {
    if (!this.#ahead.delete(treeId)) return;
    this.#bytesAhead -= this.#blobs.blobSizeBytes('tree', treeId) ?? 0;
  }

  async #read(treeId: TreeId): Promise<Uint8Array> {
    const spooled = this.#spool?.read(treeId);
    if (spooled !== undefined) return spooled;
    const bytes = await this.#blobs.readBlob('tree', treeId, { signal: this.#signal });
    this.#spool?.add(treeId, bytes);
    return bytes;
  }
}
