import { formatTimestamp, type Snapshot, type SnapshotSummary } from '@holdfast/engine';

/** A snapshot as restic's `snapshots --json` has it. */
export function snapshotJson(snapshot: Snapshot): object {
  return {
    time: formatTimestamp(snapshot.time),
    ...(snapshot.parent === undefined ? {} : { parent: snapshot.parent }),
    tree: snapshot.tree,
    paths: snapshot.paths,
    ...(snapshot.hostname === '' ? {} : { hostname: snapshot.hostname }),
    ...(snapshot.username === '' ? {} : { username: snapshot.username }),
    ...(snapshot.uid === 0 ? {} : { uid: snapshot.uid }),
    ...(snapshot.gid === 0 ? {} : { gid: snapshot.gid }),
    ...(snapshot.excludes.length === 0 ? {} : { excludes: snapshot.excludes }),
    ...(snapshot.tags.length === 0 ? {} : { tags: snapshot.tags }),
    ...(snapshot.original === undefined ? {} : { original: snapshot.original }),
    ...(snapshot.programVersion === undefined ? {} : { program_version: snapshot.programVersion }),
    ...(snapshot.summary === undefined ? {} : { summary: summaryJson(snapshot.summary) }),
    id: snapshot.id,
    short_id: snapshot.id.slice(0, 8),
  };
}

function summaryJson(summary: SnapshotSummary): object {
  return {
    backup_start: formatTimestamp(summary.backupStart),
    backup_end: formatTimestamp(summary.backupEnd),
    files_new: summary.filesNew,
    files_changed: summary.filesChanged,
    files_unmodified: summary.filesUnmodified,
    dirs_new: summary.dirsNew,
    dirs_changed: summary.dirsChanged,
    dirs_unmodified: summary.dirsUnmodified,
    data_blobs: summary.dataBlobs,
    tree_blobs: summary.treeBlobs,
    data_added: summary.dataAdded,
    data_added_packed: summary.dataAddedPacked,
    total_files_processed: summary.totalFilesProcessed,
    total_bytes_processed: summary.totalBytesProcessed,
  };
}
