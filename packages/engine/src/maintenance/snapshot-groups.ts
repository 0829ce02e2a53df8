import type { SnapshotRecord } from '../format/snapshot-file.ts';

export type GroupCriterion = 'host' | 'paths' | 'tags';

/** Which criteria divide snapshots into groups; with none of them there is one group. */
export type GroupBy = readonly GroupCriterion[];

/** Snapshots that agree in every criterion; what was no criterion is undefined. */
export interface SnapshotGroup<Snapshot> {
  readonly hostname: string | undefined;
  /** Sorted. */
  readonly paths: readonly string[] | undefined;
  /** Sorted. */
  readonly tags: readonly string[] | undefined;
  readonly snapshots: readonly Snapshot[];
}

/** Divides snapshots into groups. The order of paths and tags does not matter. Groups come in the order of their names. */
export function groupSnapshots<Snapshot extends Pick<SnapshotRecord, 'hostname' | 'paths' | 'tags'>>(
  snapshots: readonly Snapshot[],
  groupBy: GroupBy,
): SnapshotGroup<Snapshot>[] {
  const groups = new Map<string, SnapshotGroup<Snapshot> & { readonly snapshots: Snapshot[] }>();
  for (const snapshot of snapshots) {
    const key = {
      hostname: groupBy.includes('host') ? snapshot.hostname : undefined,
      paths: groupBy.includes('paths') ? [...snapshot.paths].sort() : undefined,
      tags: groupBy.includes('tags') ? [...snapshot.tags].sort() : undefined,
    };
    const name = JSON.stringify([key.hostname, key.paths, key.tags]);
    const group = groups.get(name) ?? { ...key, snapshots: [] };
    group.snapshots.push(snapshot);
    groups.set(name, group);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}
