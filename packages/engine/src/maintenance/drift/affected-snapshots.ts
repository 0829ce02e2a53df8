import { type Abortable, isHoldfastError, throwIfAborted } from '@holdfast/base';
import type { BlobType } from '../../format/blob-type.ts';
import { byteStringToText } from '../../format/byte-string.ts';
import type { BlobId, PackId, SnapshotId, TreeId } from '../../format/ids.ts';
import type { Node } from '../../format/node.ts';
import { decodeNodes } from '../../format/tree-codec.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import { IdTable } from '../../index/id-table.ts';
import { BlobSource } from '../../repository/blob-source.ts';
import type { BlobReader } from '../../repository/blob-store.ts';
import { IndexStore } from '../../repository/index-store.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Drift } from './find-drift.ts';

const examplesPerSnapshot = 3;

/** A snapshot, as far as it has to be known to walk it. */
export interface SnapshotRoot {
  readonly id: SnapshotId;
  readonly tree: TreeId;
}

export interface AffectedSnapshot extends SnapshotRoot {
  /** The first few paths in it that cannot be restored whole, for people; `/` for its top. At least one. */
  readonly paths: readonly string[];
}

/**
 * Those of the snapshots that need a blob of which every copy lies in a pack that drifted, or which no index names. All
 * blobs of a pack whose size is wrong count as lost, also where some could still be read. The index is read as it is now:
 * what a later backup stored again is not lost any more. Each tree beneath which nothing is lost is read once.
 *
 * To be run under a lock, a shared one at least.
 *
 * @throws HoldfastError where the storage does not answer; never for damage
 */
export async function affectedSnapshots(
  repository: Repository,
  { packs }: Pick<Drift, 'packs'>,
  snapshots: readonly SnapshotRoot[],
  { signal }: Abortable = {},
): Promise<readonly AffectedSnapshot[]> {
  const indexes = new IndexStore(repository.storage.files);
  // What only such an index names is lost, until somebody makes it anew.
  await indexes.refresh({ signal, onDamaged: () => {} });
  const kept = new KeptBlobs(
    indexes.current,
    packs.map(({ id }) => id),
  );
  const walk = new AffectedWalk(kept, new BlobSource({ ...repository.storage, indexes }), { signal });
  const affected: AffectedSnapshot[] = [];
  for (const { id, tree } of snapshots) {
    const paths = await walk.examplesIn(tree);
    if (paths.length > 0) affected.push({ id, tree, paths });
  }
  return affected;
}

/** The blobs that have a copy in a pack that did not drift; one byte for each blob of the index. */
class KeptBlobs {
  readonly #index: BlobIndex;
  readonly #isKept: Readonly<Record<BlobType, Uint8Array>>;

  constructor(index: BlobIndex, driftedPacks: readonly PackId[]) {
    this.#index = index;
    const hasDrifted = new Uint8Array(index.packCount);
    for (const id of driftedPacks) {
      const pack = index.packNumber(id);
      if (pack !== -1) hasDrifted[pack] = 1;
    }
    const keptOf = (type: BlobType): Uint8Array => {
      const isKept = new Uint8Array(index.blobCountOf(type));
      index.visitPlaces(type, (blob, pack) => {
        if (hasDrifted[pack] === 0) isKept[blob] = 1;
      });
      return isKept;
    };
    this.#isKept = { data: keptOf('data'), tree: keptOf('tree') };
  }

  has(type: BlobType, id: BlobId): boolean {
    const number = this.#index.blobNumber(type, id);
    return number !== -1 && this.#isKept[type][number] === 1;
  }
}

class AffectedWalk {
  readonly #kept: KeptBlobs;
  readonly #blobs: BlobReader;
  readonly #signal: AbortSignal | undefined;
  /** Trees beneath which nothing is lost: most are, and are walked once. */
  readonly #sound = new IdTable();
  #examples: string[] = [];

  constructor(kept: KeptBlobs, blobs: BlobReader, { signal }: Abortable) {
    this.#kept = kept;
    this.#blobs = blobs;
    this.#signal = signal;
  }

  /** Looks no further than for so many as are told: what is lost in many snapshots is looked at in each. */
  async examplesIn(tree: TreeId): Promise<readonly string[]> {
    this.#examples = [];
    await this.#visitTree(tree, '');
    return this.#examples;
  }

  get #hasEnough(): boolean {
    return this.#examples.length >= examplesPerSnapshot;
  }

  /** True if nothing beneath the tree is lost; false also where enough was found before its end. */
  async #visitTree(id: TreeId, path: string): Promise<boolean> {
    if (this.#sound.find(id) !== -1) return true;
    throwIfAborted(this.#signal);
    if (!this.#kept.has('tree', id)) {
      this.#note(path);
      return false;
    }
    try {
      const isSound = await this.#visitNodes(id, path);
      if (isSound) this.#sound.add(id);
      return isSound;
    } catch (error) {
      if (!isHoldfastError(error, 'blob-missing', 'blob-damaged', 'repository-damaged')) throw error;
      this.#note(path);
      return false;
    }
  }

  async #visitNodes(id: TreeId, path: string): Promise<boolean> {
    let isSound = true;
    const plaintext = await this.#blobs.readBlob('tree', id, { signal: this.#signal });
    for (const node of decodeNodes(plaintext)) {
      if (this.#hasEnough) return false;
      const isNodeSound = await this.#visitNode(node, `${path}/${byteStringToText(node.name)}`);
      isSound &&= isNodeSound;
    }
    return isSound;
  }

  async #visitNode({ content, subtree }: Node, path: string): Promise<boolean> {
    const isWhole = content?.every((id) => this.#kept.has('data', id)) ?? true;
    if (!isWhole) this.#note(path);
    const isTreeSound = subtree === undefined || (await this.#visitTree(subtree, path));
    return isWhole && isTreeSound;
  }

  #note(path: string): void {
    if (!this.#hasEnough) this.#examples.push(path === '' ? '/' : path);
  }
}
