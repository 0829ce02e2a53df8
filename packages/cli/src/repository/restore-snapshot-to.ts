import { resolve } from 'node:path';
import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import { type OverwriteRule, type Repository, type RestoreResult, restoreSnapshot } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { formatBytes, formatDuration, formatNumberOf } from '../output/quantities.ts';
import { entryProgress } from '../terminal/entry-progress.ts';
import { showProgress } from '../terminal/show-progress.ts';
import { writeWarnings } from './entry-warnings.ts';
import { lockForReading, openGivenRepository } from './open-given-repository.ts';
import type { ReadingRepositoryOptions } from './repository-options.ts';
import { findTree, type SnapshotTree } from './snapshot-reference.ts';
import type { SnapshotSelection } from './snapshot-selection.ts';

export interface RestoreCommandOptions extends ReadingRepositoryOptions, SnapshotSelection {
  readonly target: string;
  readonly delete?: boolean;
  readonly overwrite: OverwriteRule;
  readonly sparse?: boolean;
  readonly verify?: boolean;
}

/**
 * Exit status 3 when something was restored with less than it had, such as an owner that only root can set.
 *
 * @throws HoldfastError `restore-incomplete` when something could not be restored at all; all the rest is
 */
export async function restoreSnapshotTo(
  context: CliContext,
  reference: string,
  options: RestoreCommandOptions,
): Promise<ExitStatus> {
  const begunAtMs = context.clock.elapsed();
  const { signal } = context.interrupts;
  const repository = await openGivenRepository(context, options);
  await using _lock = await lockForReading(context, repository, options);
  await repository.refreshIndex({ signal });
  const tree = await findTree(repository, reference, { selection: options, signal });
  const result = await restoreTree(context, { repository, tree, options });
  writeOutcome(context, { tree, result, options, durationMs: context.clock.elapsed() - begunAtMs });
  if (result.failureCount > 0) {
    throw new HoldfastError(
      'restore-incomplete',
      `${formatNumberOf(result.failureCount, 'entry', 'entries')} could not be restored.`,
      { hint: 'They are listed above. Remove what is in the way, and run the same restore again.' },
    );
  }
  return result.warningCount === 0 ? exitStatus.done : exitStatus.warnings;
}

interface Restoring {
  readonly repository: Repository;
  readonly tree: SnapshotTree;
  readonly options: RestoreCommandOptions;
}

async function restoreTree(
  context: CliContext,
  { repository, tree, options }: Restoring,
): Promise<RestoreResult> {
  const isWhole = tree.path.length === 0;
  const totalBytes = isWhole ? (tree.snapshot.summary?.totalBytesProcessed ?? null) : null;
  using view = showProgress(context);
  return await restoreSnapshot({
    blobs: repository.blobs,
    treeId: tree.treeId,
    targetDirectory: resolve(context.folder, options.target),
    options: {
      deleteExtraneous: options.delete === true,
      overwrite: options.overwrite,
      sparse: options.sparse === true,
      verify: options.verify === true,
    },
    progress: entryProgress(view, 'restoring', () => ({ files: null, bytes: totalBytes })),
    signal: context.interrupts.signal,
  });
}

interface Outcome {
  readonly tree: SnapshotTree;
  readonly result: RestoreResult;
  readonly options: RestoreCommandOptions;
  readonly durationMs: number;
}

function writeOutcome(context: CliContext, { tree, result, options, durationMs }: Outcome): void {
  const { summary } = result;
  writeWarnings(context, result);
  writeWarnings(context, { warnings: result.failures, warningCount: result.failureCount });
  if (context.asJson) {
    const message = {
      message_type: 'summary',
      snapshot_id: tree.snapshot.id,
      seconds_elapsed: durationMs / 1000,
      total_files: summary.files,
      files_restored: summary.files - summary.unchanged - summary.skipped,
      files_skipped: summary.unchanged + summary.skipped,
      files_deleted: summary.deleted,
      total_bytes: summary.bytes,
    };
    context.output.line(JSON.stringify(message));
    return;
  }
  const facts = [formatNumberOf(summary.files, 'file'), formatBytes(summary.bytes)];
  if (summary.unchanged > 0) facts.push(`${formatNumberOf(summary.unchanged, 'file')} as they were already`);
  if (summary.skipped > 0) facts.push(`${formatNumberOf(summary.skipped, 'file')} left alone`);
  if (summary.deleted > 0) facts.push(`${formatNumberOf(summary.deleted, 'entry', 'entries')} removed`);
  context.notes.line(
    `Restored snapshot ${tree.snapshot.id.slice(0, 8)} into ${options.target}: ${facts.join(', ')}, in ${formatDuration(durationMs)}.`,
  );
}
