import type { Snapshot } from '@holdfast/engine';
import { type InspectedBackup, type InspectTask, snapshotTags } from '@holdfast/protocol';

/** By snapshot, a few paths in it that cannot be restored whole. */
export type LostPaths = ReadonlyMap<string, readonly string[]>;

export interface LostOfBackups {
  /** Only what has lost something. */
  readonly damaged: readonly InspectedBackup[];
  /** Snapshots that have lost something, and belong to none of the backups. */
  readonly others: readonly Snapshot[];
}

type ExpectedBackup = InspectTask['backups'][number];

/**
 * What of the backups is not there, or not whole. Parts are known by their snapshots; a manifest by its tags, for a later
 * revision is another snapshot: one that is whole is enough.
 */
export function lostOf(
  backups: readonly ExpectedBackup[],
  snapshots: readonly Snapshot[],
  lostPaths: LostPaths,
): LostOfBackups {
  const known = new Map<string, Snapshot>(snapshots.map((snapshot) => [snapshot.id, snapshot]));
  const manifests = Map.groupBy(
    snapshots.filter(({ tags }) => tags.includes(snapshotTags.manifest)),
    ({ tags }) => tags.find((tag) => tag.startsWith(snapshotTags.ofBackup(''))),
  );

  function lostPartsOf({ parts }: ExpectedBackup): InspectedBackup['lost'] {
    return parts.flatMap(({ name, snapshotId, treeId }) => {
      if (known.get(snapshotId)?.tree !== treeId) return [{ part: name, paths: [] }];
      const paths = lostPaths.get(snapshotId);
      return paths === undefined ? [] : [{ part: name, paths: paths.map(withinPart) }];
    });
  }

  function lostManifestOf({ backupId }: ExpectedBackup): InspectedBackup['lost'] {
    const revisions = manifests.get(snapshotTags.ofBackup(backupId)) ?? [];
    return revisions.some(({ id }) => !lostPaths.has(id)) ? [] : [{ part: null, paths: [] }];
  }

  const expectedTags = new Set(backups.map(({ backupId }) => snapshotTags.ofBackup(backupId)));
  return {
    damaged: backups
      .map((backup) => ({
        backupId: backup.backupId,
        lost: [...lostManifestOf(backup), ...lostPartsOf(backup)],
      }))
      .filter(({ lost }) => lost.length > 0),
    others: snapshots.filter(
      ({ id, tags }) => lostPaths.has(id) && !tags.some((tag) => expectedTags.has(tag)),
    ),
  };
}

/** The tree of a part has one top entry, `data`, that stands for its source. */
function withinPart(path: string): string {
  return path.replace(/^\/data(?=\/|$)/, '') || '/';
}
