import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import type { BlobType } from '../../format/blob-type.ts';
import type { BlobId, TreeId } from '../../format/ids.ts';
import { decodeNodes } from '../../format/tree-codec.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import type { BlobReader } from '../../repository/blob-store.ts';

const treesAtOnce = 8;
const maxBytesAtOnce = 32 * 1024 * 1024;

/** By type, one byte for each blob number of the index: 1 for a blob that is needed. */
export type UsedBlobs = Readonly<Record<BlobType, Uint8Array>>;

export interface UsedBlobsRequest extends Abortable {
  readonly index: BlobIndex;
  readonly blobs: BlobReader;
  /** The trees of all snapshots. */
  readonly roots: readonly TreeId[];
  /** Told after each tree how many were read. */
  readonly onTree?: ((treeCount: number) => void) | undefined;
}

/**
 * Reads every tree beneath the roots, each once and several at a time, and marks all that they refer to.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged` for anything that is not there or not sound
 */
export async function findUsedBlobs(request: UsedBlobsRequest): Promise<UsedBlobs> {
  const walk = new UsedBlobsWalk(request);
  await walk.run();
  return walk.used;
}

class UsedBlobsWalk {
  readonly used: UsedBlobs;
  readonly #request: UsedBlobsRequest;
  /** Numbers of trees that are marked and not read yet. */
  readonly #stack: number[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #running = 0;
  #bytesUnderWay = 0;
  #treeCount = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(request: UsedBlobsRequest) {
    this.#request = request;
    const { index } = request;
    this.used = {
      data: new Uint8Array(index.blobCountOf('data')),
      tree: new Uint8Array(index.blobCountOf('tree')),
    };
  }

  async run(): Promise<void> {
    for (const root of this.#request.roots) this.#useTree(root);
    this.#startReading();
    await this.#ended.promise;
  }

  /** A tree that is larger than the limit is read alone. */
  #startReading(): void {
    while (this.#failure === undefined && this.#running < treesAtOnce) {
      const tree = this.#stack.at(-1);
      if (tree === undefined) break;
      const id = this.#request.index.blobIdAt('tree', tree);
      const sizeBytes = this.#request.blobs.blobSizeBytes('tree', id) ?? 0;
      if (this.#running > 0 && this.#bytesUnderWay + sizeBytes > maxBytesAtOnce) break;
      this.#stack.pop();
      this.#read(id, sizeBytes);
    }
    if (this.#running > 0) return;
    if (this.#failure === undefined) this.#ended.resolve();
    else this.#ended.reject(this.#failure.error);
  }

  #read(id: TreeId, sizeBytes: number): void {
    this.#running += 1;
    this.#bytesUnderWay += sizeBytes;
    this.#useAllOf(id)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#running -= 1;
        this.#bytesUnderWay -= sizeBytes;
        this.#startReading();
      });
  }

  async #useAllOf(id: TreeId): Promise<void> {
    const { blobs, signal, onTree } = this.#request;
    throwIfAborted(signal);
    for (const { content, subtree } of decodeNodes(await blobs.readBlob('tree', id, { signal }))) {
      for (const blobId of content ?? []) this.used.data[this.#numberOf('data', blobId)] = 1;
      if (subtree !== undefined) this.#useTree(subtree);
    }
    this.#treeCount += 1;
    onTree?.(this.#treeCount);
  }

  #useTree(id: TreeId): void {
    const number = this.#numberOf('tree', id);
    if (this.used.tree[number] === 1) return;
    this.used.tree[number] = 1;
    this.#stack.push(number);
  }

  #numberOf(type: BlobType, id: BlobId): number {
    const number = this.#request.index.blobNumber(type, id);
    if (number !== -1) return number;
    throw new HoldfastError('blob-missing', `No index of the repository names the ${type} blob ${id}.`, {
      context: { type, blobId: id },
    });
  }
}
