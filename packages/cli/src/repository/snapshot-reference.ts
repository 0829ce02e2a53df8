import { type Abortable, HoldfastError } from '@holdfast/base';
import { findNode, type Repository, type Snapshot, type TreeId, toByteString } from '@holdfast/engine';
import { findSnapshot, type SnapshotSelection } from './snapshot-selection.ts';

export interface SnapshotTree {
  readonly snapshot: Snapshot;
  readonly treeId: TreeId;
  /** Names from the snapshot's top down to that tree. */
  readonly path: readonly string[];
}

/**
 * The tree that `ID`, `ID:PATH`, `latest` or `latest:PATH` means. The repository's index has to be read before.
 *
 * @throws HoldfastError `snapshot-unknown`; `path-unknown`; `usage-invalid` when the path is no directory
 */
export async function findTree(
  repository: Repository,
  reference: string,
  { selection, signal }: Abortable & { readonly selection: SnapshotSelection },
): Promise<SnapshotTree> {
  const colon = reference.indexOf(':');
  const id = colon < 0 ? reference : reference.slice(0, colon);
  const path =
    colon < 0
      ? []
      : reference
          .slice(colon + 1)
          .split('/')
          .filter((name) => name !== '');
  const snapshot = await findSnapshot(repository, id, { selection, signal });
  const [top, ...rest] = path;
  if (top === undefined) return { snapshot, treeId: snapshot.tree, path };
  const nodePath = [toByteString(top), ...rest.map(toByteString)] as const;
  const node = await findNode(repository.blobs, snapshot.tree, nodePath, { signal });
  if (node.subtree !== undefined) return { snapshot, treeId: node.subtree, path };
  throw new HoldfastError('usage-invalid', `/${path.join('/')} is not a directory in the snapshot.`, {
    hint: 'Name the directory that it is in.',
  });
}
