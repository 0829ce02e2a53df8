import { exitStatus } from '@holdfast/base';
import type { BackupResult, SnapshotId } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { type Failure, writeFailure } from '../failure.ts';
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../output/quantities.ts';
import type { CountedWriter } from './counted-writer.ts';
import { writeWarnings } from './entry-warnings.ts';
import type { JsonStatus } from './json-status.ts';

export interface FinishedBackup {
  /** undefined where none was saved: in a dry run, or because nothing had changed. */
  readonly snapshotId: SnapshotId | undefined;
  readonly isDry: boolean;
  readonly result: BackupResult;
  readonly writer: CountedWriter;
  readonly durationMs: number;
}

/** The snapshot's id alone on standard output, the rest beside it; or restic's summary object. */
export function writeBackupSummary(context: CliContext, backup: FinishedBackup): void {
  writeWarnings(context, { ...backup.result, during: 'archival' });
  if (context.asJson) {
    context.output.line(JSON.stringify(summaryJson(backup)));
    if (backup.result.warningCount > 0) writeFailure(context, incomplete(backup.result));
    return;
  }
  for (const line of summaryLines(backup)) context.notes.line(line);
  if (backup.snapshotId !== undefined) context.output.line(backup.snapshotId);
}

/** How far a backup is, as restic's messages have it. */
export function backupStatusFields({ bytes, files, totals }: JsonStatus): object {
  return {
    ...(totals.files === null ? {} : { total_files: totals.files }),
    files_done: files,
    ...(totals.bytes === null ? {} : { total_bytes: totals.bytes }),
    bytes_done: bytes,
  };
}

/** How restic ends when something could not be read. */
function incomplete({ warningCount }: BackupResult): Failure {
  const message = `${formatNumberOf(warningCount, 'entry', 'entries')} could not be read whole.`;
  return { report: { code: 'source-unreadable', message }, status: exitStatus.warnings };
}

function summaryLines({
  isDry,
  snapshotId,
  result: { summary },
  writer,
  durationMs,
}: FinishedBackup): string[] {
  const { fileCounts: files, dirCounts: dirs } = summary;
  return [
    `Files: ${formatCount(files.new)} new, ${formatCount(files.changed)} changed, ${formatCount(files.unmodified)} unchanged.`,
    `Directories: ${formatCount(dirs.new)} new, ${formatCount(dirs.changed)} changed, ${formatCount(dirs.unmodified)} unchanged.`,
    `${isDry ? 'Would add' : 'Added'} ${formatBytes(writer.addedBytes)}, ${formatBytes(writer.storedBytes)} in the repository.`,
    `${isDry ? 'Read' : 'Saved'} ${formatNumberOf(summary.files, 'file')}, ${formatBytes(summary.bytes)}, in ${formatDuration(durationMs)}${ending(isDry, snapshotId)}`,
  ];
}

function ending(isDry: boolean, snapshotId: SnapshotId | undefined): string {
  if (snapshotId !== undefined) return ', as snapshot:';
  return isDry ? '; nothing was written.' : '; nothing had changed, so there is no new snapshot.';
}

/** As restic's `backup --json` ends. */
function summaryJson({ isDry, snapshotId, result: { summary }, writer, durationMs }: FinishedBackup): object {
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
    ...(snapshotId === undefined ? {} : { snapshot_id: snapshotId }),
    ...(isDry ? { dry_run: true } : {}),
  };
}
