import { type Abortable, throwIfAborted } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import { sealOverheadBytes } from '../crypto/seal.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { decodeNodes } from '../format/tree-codec.ts';
import { IdTable } from '../index/id-table.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import type { Repository } from '../repository/repository.ts';
import type { Snapshot } from '../repository/snapshot-store.ts';
import { findUsedBlobs } from './prune/used-blobs.ts';

/**
 * What is counted, by restic's names:
 * - `restore-size`: every entry of every snapshot, and the bytes of files that a restore of each would write
 * - `files-by-contents`: files with different contents, each once
 * - `blobs-per-file`: the blobs of each file, each once a path
 * - `raw-data`: the blobs as they are in the packs, each once
 */
export const statisticsModes = ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'] as const;
export type StatisticsMode = (typeof statisticsModes)[number];

export interface StatisticsRequest extends Abortable {
  readonly snapshots: readonly Snapshot[];
  readonly mode: StatisticsMode;
  /** Told how many snapshots (trees, for `raw-data`) were read. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

export interface Statistics {
  readonly snapshotCount: number;
  readonly totalBytes: number;
  readonly fileCount: number;
  readonly blobCount: number;
  /** Of `raw-data` alone: what the same blobs would take without compression; and of those that are compressed. */
  readonly compression:
    | {
        readonly uncompressedBytes: number;
        readonly compressedBlobBytes: number;
        readonly compressedBlobUncompressedBytes: number;
      }
    | undefined;
}

/**
 * Counts what snapshots hold, with the same figures as restic 0.18's `stats`. The repository's index has to be read before.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`
 */
export async function collectStatistics(
  repository: Repository,
  request: StatisticsRequest,
): Promise<Statistics> {
  return request.mode === 'raw-data'
    ? await countBlobs(repository, request)
    : await countFiles(repository, request);
}

async function countFiles({ blobs }: Repository, request: StatisticsRequest): Promise<Statistics> {
  const { snapshots, mode, signal, onProgress } = request;
  const counter = new FileCounter(blobs);
  for (const [at, { tree }] of snapshots.entries()) {
    const seenInodes = new Set<string>();
    for await (const { path, node } of nodesBeneath(blobs, tree, { signal })) {
      if (mode === 'restore-size') counter.countEntry(node, seenInodes);
      else if (mode === 'files-by-contents') counter.countContents(node);
      else counter.countBlobs(node, path);
    }
    onProgress?.(at + 1);
  }
  const { totalBytes, fileCount, blobCount } = counter;
  return { snapshotCount: snapshots.length, totalBytes, fileCount, blobCount, compression: undefined };
}

class FileCounter {
  readonly #blobs: BlobReader;
  readonly #contents = new IdTable();
  readonly #paths = new IdTable();
  readonly #blobsOfPaths = new IdTable();
  totalBytes = 0;
  fileCount = 0;
  blobCount = 0;

  constructor(blobs: BlobReader) {
    this.#blobs = blobs;
  }

  /** Names of one inode take the room of one. */
  countEntry(node: Node, seenInodes: Set<string>): void {
    this.fileCount += 1;
    const inode = `${node.deviceId} ${node.inode}`;
    const isOneOfSeveral = node.links !== 1 && node.type !== 'dir' && node.inode !== 0n;
    if (isOneOfSeveral && seenInodes.has(inode)) return;
    if (isOneOfSeveral) seenInodes.add(inode);
    this.totalBytes += node.size;
  }

  countContents(node: Node): void {
    if (!this.#isNew(node)) return;
    this.totalBytes += node.size;
    this.fileCount += 1;
  }

  countBlobs(node: Node, path: string): void {
    if (!this.#isNew(node)) return;
    for (const id of node.content ?? []) {
      if (isAdded(this.#paths, path)) this.fileCount += 1;
      if (!isAdded(this.#blobsOfPaths, `${id} ${path}`)) continue;
      this.totalBytes += this.#blobs.blobSizeBytes('data', id) ?? 0;
      this.blobCount += 1;
    }
  }

  /** True for the first node with these contents; all that have none are one. */
  #isNew({ content }: Node): boolean {
    return isAdded(this.#contents, (content ?? []).join(''));
  }
}

function isAdded(table: IdTable, text: string): boolean {
  const sizeBefore = table.size;
  return table.add(sha256(Buffer.from(text, 'latin1'))) === sizeBefore;
}

interface NodeAtPath {
  readonly path: string;
  readonly node: Node;
}

/** Every node beneath the tree. Holds one tree a level. */
async function* nodesBeneath(
  blobs: BlobReader,
  root: TreeId,
  { signal }: Abortable,
): AsyncGenerator<NodeAtPath, void> {
  const open = async (id: TreeId): Promise<Generator<Node, void>> =>
    decodeNodes(await blobs.readBlob('tree', id, { signal }));
  const levels = [{ path: '', nodes: await open(root) }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    throwIfAborted(signal);
    const node = level.nodes.next().value;
    if (!node) {
      levels.pop();
      continue;
    }
    const path = `${level.path}/${node.name}`;
    yield { path, node };
    if (node.subtree !== undefined) levels.push({ path, nodes: await open(node.subtree) });
  }
}

async function countBlobs(repository: Repository, request: StatisticsRequest): Promise<Statistics> {
  const { snapshots, onProgress, signal } = request;
  const index = repository.storage.indexes.current;
  const roots = snapshots.map(({ tree }) => tree);
  const used = await findUsedBlobs({ index, blobs: repository.blobs, roots, onTree: onProgress, signal });
  let [totalBytes, blobCount] = [0, 0];
  const compression = { uncompressedBytes: 0, compressedBlobBytes: 0, compressedBlobUncompressedBytes: 0 };
  for (const type of ['data', 'tree'] as const) {
    index.visitPlaces(type, (blob, _pack, _offset, length, uncompressedLength) => {
      if (used[type][blob] === 0) return;
      // Further copies of it do not count.
      used[type][blob] = 0;
      blobCount += 1;
      totalBytes += length;
      const plainBytes = uncompressedLength === 0 ? length : uncompressedLength + sealOverheadBytes;
      compression.uncompressedBytes += plainBytes;
      if (uncompressedLength === 0) return;
      compression.compressedBlobBytes += length;
      compression.compressedBlobUncompressedBytes += plainBytes;
    });
  }
  return { snapshotCount: snapshots.length, totalBytes, fileCount: 0, blobCount, compression };
}
