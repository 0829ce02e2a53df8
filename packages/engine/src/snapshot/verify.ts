import { type Abortable, HoldfastError, TaskGroup, throwIfAborted } from '@holdfast/base';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { IdTable } from '../index/id-table.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import { ProgressCounter, type ProgressSink } from './progress.ts';
import { joinPath } from './source-tree.ts';
import { assertSafeName } from './target-place.ts';
import { readNodes } from './tree-reader.ts';

const memoryBytes = 64 * 1024 * 1024;

export interface VerifyRequest extends Abortable {
  readonly blobs: BlobReader;
  readonly treeId: TreeId;
  /** Files as they are met; bytes as they are read: a chunk that occurs twice is read once. */
  readonly progress?: ProgressSink | undefined;
}

export interface VerifySummary {
  readonly trees: number;
  readonly dataBlobs: number;
  /** Bytes of the data blobs, each counted once. */
  readonly bytes: number;
}

/**
 * Proves that a tree can be restored whole: reads and authenticates each tree and each data blob below it once, and
 * checks that files are as long as their chunks and that no name leads out of its directory. Writes nothing.
 *
 * @throws HoldfastError for the first thing that is wrong: `blob-missing`, `blob-damaged`, `repository-damaged`,
 * `target-unsafe`
 */
export async function verifyTree(request: VerifyRequest): Promise<VerifySummary> {
  const tasks = new TaskGroup(request);
  try {
    const verification = new Verification(request, tasks);
    await verification.verify(request.treeId);
    await tasks.settled();
    throwIfAborted(tasks.signal);
    return verification.summary;
  } catch (error) {
    tasks.fail(error);
    throw error;
  } finally {
    await tasks.settled();
  }
}

interface Pending {
  readonly treeId: TreeId;
  readonly path: ByteString;
}

class Verification {
  readonly #blobs: BlobReader;
  readonly #tasks: TaskGroup;
  readonly #progress: ProgressCounter;
  readonly #memory = new WeightedLimiter(memoryBytes);
  readonly #trees = new IdTable();
  readonly #data = new IdTable();
  #bytes = 0;

  constructor({ blobs, progress }: VerifyRequest, tasks: TaskGroup) {
    this.#blobs = blobs;
    this.#tasks = tasks;
    this.#progress = new ProgressCounter(progress);
  }

  get summary(): VerifySummary {
    return { trees: this.#trees.size, dataBlobs: this.#data.size, bytes: this.#bytes };
  }

  async verify(top: TreeId): Promise<void> {
    const pending: Pending[] = [{ treeId: top, path: '' as ByteString }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (!isNew(this.#trees, next.treeId)) continue;
      for (const node of await readNodes(this.#blobs, next.treeId, { signal: this.#tasks.signal })) {
        assertSafeName(node.name, next.path);
        const path = joinPath(next.path, node.name);
        if (node.type === 'dir') pending.push({ treeId: subtreeOf(node), path });
        if (node.type === 'file') await this.#verifyFile(node, path);
      }
    }
  }

  async #verifyFile(node: Node, path: ByteString): Promise<void> {
    let size = 0;
    for (const id of node.content ?? []) size += await this.#verifyData(id);
    if (size !== node.size) throw damagedTree('a file in it is not as long as its chunks');
    this.#progress.addFile(byteStringToText(path));
  }

  /** Starts reading a data blob, if it was not met before; returns its length. */
  async #verifyData(id: BlobId): Promise<number> {
    const length = this.#blobs.blobSizeBytes('data', id);
    if (length === undefined) {
      throw new HoldfastError('blob-missing', 'A chunk of a file is not in the repository.', {
        hint: 'Restore another backup, or repair the repository from another copy.',
        context: { blobId: id },
      });
    }
    if (!isNew(this.#data, id)) return length;
    const { signal } = this.#tasks;
    await this.#memory.acquire(length, { signal });
    const reading = this.#blobs.readBlob('data', id, { signal }).finally(() => this.#memory.release(length));
    void this.#tasks.start(reading.then((bytes) => this.#count(bytes.length)));
    return length;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#progress.addBytes(bytes);
  }
}

/** Adds the id to the set; false if it was in it. */
function isNew(ids: IdTable, id: string): boolean {
  const size = ids.size;
  return ids.add(id) === size;
}

function subtreeOf(node: Node): TreeId {
  if (node.subtree === undefined) throw damagedTree('a directory in it has no subtree');
  return node.subtree;
}

function damagedTree(reason: string): HoldfastError {
  return new HoldfastError('repository-damaged', `A tree is damaged: ${reason}.`, {
    hint: 'Restore another backup, or repair the repository from another copy.',
  });
}
