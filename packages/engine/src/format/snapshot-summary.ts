import { FieldReader } from './field-reader.ts';
import { damaged, isJsonObject } from './json.ts';
import { formatTimestamp, parseTimestamp, type Timestamp } from './timestamp.ts';

/** What the backup that made the snapshot did. */
export interface SnapshotSummary {
  readonly backupStart: Timestamp;
  readonly backupEnd: Timestamp;
  readonly filesNew: number;
  readonly filesChanged: number;
  readonly filesUnmodified: number;
  readonly dirsNew: number;
  readonly dirsChanged: number;
  readonly dirsUnmodified: number;
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  /** Bytes of new blobs before compression. */
  readonly dataAdded: number;
  /** Bytes of new blobs in packs. */
  readonly dataAddedPacked: number;
  readonly totalFilesProcessed: number;
  readonly totalBytesProcessed: number;
}

/** As it is in the snapshot's JSON, and in restic's `--json`. */
export function encodeSummary(summary: SnapshotSummary): object {
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

/** undefined for a snapshot without one. @throws HoldfastError `repository-damaged` */
export function decodeSummary(value: unknown, what: string): SnapshotSummary | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw damaged(what, 'its summary is not an object');
  const fields = new FieldReader(value, what);
  const time = (name: string): Timestamp => {
    const parsed = parseTimestamp(fields.string(name));
    if (parsed === undefined) throw damaged(what, 'a time in its summary is not a time');
    return parsed;
  };
  return {
    backupStart: time('backup_start'),
    backupEnd: time('backup_end'),
    filesNew: fields.count('files_new'),
    filesChanged: fields.count('files_changed'),
    filesUnmodified: fields.count('files_unmodified'),
    dirsNew: fields.count('dirs_new'),
    dirsChanged: fields.count('dirs_changed'),
    dirsUnmodified: fields.count('dirs_unmodified'),
    dataBlobs: fields.count('data_blobs'),
    treeBlobs: fields.count('tree_blobs'),
    dataAdded: fields.count('data_added'),
    dataAddedPacked: fields.count('data_added_packed'),
    totalFilesProcessed: fields.count('total_files_processed'),
    totalBytesProcessed: fields.count('total_bytes_processed'),
  };
}
