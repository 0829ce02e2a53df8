import { byteStringToText } from '../format/byte-string.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { IdTable } from '../index/id-table.ts';
import type { Snapshot } from '../repository/snapshot-store.ts';
import type { CheckScope } from './check-scope.ts';
import { readTree } from './check-trees.ts';
import type { Affected, DamagedPath } from './finding.ts';
import type { LostBlob } from './lost-blobs.ts';

const maxPathsPerBlob = 100;

interface Found {
  readonly paths: DamagedPath[];
  isComplete: boolean;
}

/** Walks all snapshots for what refers to the lost blobs. */
export async function affectedPaths(
  scope: CheckScope,
  snapshots: readonly Snapshot[],
): Promise<(blob: LostBlob) => Affected> {
  const walk = new AffectedWalk(scope);
  for (const snapshot of snapshots) await walk.visit(snapshot);
  return (blob) => walk.affectedBy(blob);
}

class AffectedWalk {
  readonly #scope: CheckScope;
  readonly #found = new Map<LostBlob, Found>();
  /** Trees beneath which nothing is lost: most are, and are walked once. */
  readonly #sound = new IdTable();

  constructor(scope: CheckScope) {
    this.#scope = scope;
  }

  affectedBy(blob: LostBlob): Affected {
    return this.#found.get(blob) ?? { paths: [], isComplete: true };
  }

  async visit(snapshot: Snapshot): Promise<void> {
    await this.#visitTree(snapshot, snapshot.tree, '');
  }

  /** True if nothing beneath the tree is lost. */
  async #visitTree(snapshot: Snapshot, id: TreeId, path: string): Promise<boolean> {
    if (this.#sound.find(id) !== -1) return true;
    const lostTree = this.#scope.lost.find('tree', id);
    if (lostTree !== undefined) {
      this.#note(lostTree, { snapshotId: snapshot.id, path: path === '' ? '/' : path });
      return false;
    }
    let isSound = true;
    for (const node of await readTree(this.#scope, id)) {
      if (!(await this.#visitNode(snapshot, node, `${path}/${byteStringToText(node.name)}`))) isSound = false;
    }
    if (isSound) this.#sound.add(id);
    return isSound;
  }

  async #visitNode(snapshot: Snapshot, node: Node, path: string): Promise<boolean> {
    const lost = this.#lostContent(node.content ?? []);
    for (const blob of lost) this.#note(blob, { snapshotId: snapshot.id, path });
    const isTreeSound = node.subtree === undefined || (await this.#visitTree(snapshot, node.subtree, path));
    return lost.size === 0 && isTreeSound;
  }

  #lostContent(content: readonly BlobId[]): Set<LostBlob> {
    const lost = new Set<LostBlob>();
    for (const id of content) {
      const blob = this.#scope.lost.find('data', id);
      if (blob !== undefined) lost.add(blob);
    }
    return lost;
  }

  #note(blob: LostBlob, path: DamagedPath): void {
    const found = this.#found.get(blob) ?? { paths: [], isComplete: true };
    this.#found.set(blob, found);
    if (found.paths.length < maxPathsPerBlob) found.paths.push(path);
    else found.isComplete = false;
  }
}
