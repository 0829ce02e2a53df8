import type { BackupResult, SnapshotId } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../output/quantities.ts';
import type { CountedWriter } from './counted-writer.ts';
import { writeWarnings } from './entry-warnings.ts';

export interface FinishedBackup {
  readonly snapshotId: SnapshotId;
  readonly result: BackupResult;
  readonly writer: CountedWriter;
  readonly durationMs: number;
}

/** The snapshot's id alone on standard output, the rest beside it; or restic's summary object. */
export function writeBackupSummary(context: CliContext, backup: FinishedBackup): void {
  writeWarnings(context, backup.result);
  if (context.asJson) {
    context.output.line(JSON.stringify(summaryJson(backup)));
    return;
  }
  for (const line of summaryLines(backup)) context.notes.line(line);
  context.output.line(backup.snapshotId);
}

function summaryLines({ result: { summary }, writer, durationMs }: FinishedBackup): string[] {
  const { fileCounts: files, dirCounts: dirs } = summary;
  return [
    `Files: ${formatCount(files.new)} new, ${formatCount(files.changed)} changed, ${formatCount(files.unmodified)} unchanged.`,
    `Directories: ${formatCount(dirs.new)} new, ${formatCount(dirs.changed)} changed, ${formatCount(dirs.unmodified)} unchanged.`,
    `Added ${formatBytes(writer.addedBytes)}, ${formatBytes(writer.storedBytes)} in the repository.`,
    `Saved ${formatNumberOf(summary.files, 'file')}, ${formatBytes(summary.bytes)}, in ${formatDuration(durationMs)}, as snapshot:`,
  ];
}

/** As restic's `backup --json` ends. */
function summaryJson({ snapshotId, result: { summary }, writer, durationMs }: FinishedBackup): object {
  const { fileCounts: files, dirCounts: dirs } = summary;
  return {
    message_type: 'summary',
    files_new: files.new,
    files_changed: files.changed,
    files_unmodified: files.unmodified,
    dirs_new: dirs.new,
    dirs_changed: dirs.changed,
    dirs_unmodified: dirs.unmodified,
    data_blobs: writer.dataBlobs,
    tree_blobs: writer.treeBlobs,
    data_added: writer.addedBytes,
    data_added_packed: writer.storedBytes,
    total_files_processed: summary.files,
    total_bytes_processed: summary.bytes,
    total_duration: durationMs / 1000,
    snapshot_id: snapshotId,
  };
}
