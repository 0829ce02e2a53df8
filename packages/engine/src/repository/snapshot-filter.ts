import type { SnapshotRecord } from '../format/snapshot-file.ts';

/** Narrows a list of snapshots: each field that is given must fit. */
export interface SnapshotFilter {
  readonly hostname?: string | undefined;
  /** The snapshot has all of these. */
  readonly tags?: readonly string[] | undefined;
  /** The snapshot is of all of these. */
  readonly paths?: readonly string[] | undefined;
}

export function matchesFilter(snapshot: SnapshotRecord, { hostname, tags, paths }: SnapshotFilter): boolean {
  return (
    (hostname === undefined || snapshot.hostname === hostname) &&
    (tags ?? []).every((tag) => snapshot.tags.includes(tag)) &&
    (paths ?? []).every((path) => snapshot.paths.includes(path))
  );
}
