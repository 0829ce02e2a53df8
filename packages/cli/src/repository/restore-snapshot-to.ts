import { resolve } from 'node:path';
import { type ExitStatus, exitStatus, HoldfastError } from '@holdfast/base';
import {
  type OverwriteRule,
  prepareThreads,
  type Repository,
  type RestoredEntry,
  type RestorePatterns,
  type RestoreResult,
  restoreSnapshot,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { printable } from '../output/printable.ts';
import { formatBytes, formatDuration, formatNumberOf } from '../output/quantities.ts';
import { entryProgress } from '../terminal/entry-progress.ts';
import { showProgress } from '../terminal/show-progress.ts';
import { writeWarnings } from './entry-warnings.ts';
import { type JsonStatus, jsonProgress } from './json-status.ts';
import { lockForReading, openGivenRepository } from './open-given-repository.ts';
import {
  type ExcludePatternOptions,
  excludePatterns,
  type IncludePatternOptions,
  includePatterns,
} from './pattern-options.ts';
import type { ReadingRepositoryOptions } from './repository-options.ts';
import { findTree, type SnapshotTree } from './snapshot-reference.ts';
import { type SnapshotSelection, selectionOf } from './snapshot-selection.ts';

export interface RestoreCommandOptions
  extends ReadingRepositoryOptions,
    SnapshotSelection,
    IncludePatternOptions,
    ExcludePatternOptions {
  readonly target: string;
  readonly dryRun?: boolean;
  readonly verbose?: boolean;
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
  const patterns = {
    ...(await includePatterns(context, options)),
    ...(await excludePatterns(context, options)),
  };
  refuseDeletingEverything(context, options, patterns);
  const repository = await openGivenRepository(context, options);
  if (options.dryRun !== true) prepareThreads();
  const preloading = repository.preloadIndex({ signal });
  await using _lock = await lockForReading(context, repository, options);
  await preloading;
  await repository.refreshIndex({ signal });
  const selection = selectionOf(context, options);
  const tree = await findTree(repository, reference, { selection, signal });
  const result = await restoreTree(context, { repository, tree, options, patterns });
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

/** As restic does: only a part of `/` may be made equal to a snapshot. */
function refuseDeletingEverything(
  { folder }: CliContext,
  options: RestoreCommandOptions,
  patterns: RestorePatterns,
): void {
  const hasPatterns = Object.values(patterns).some((list) => list.length > 0);
  if (options.delete !== true || hasPatterns || resolve(folder, options.target) !== '/') return;
  throw new HoldfastError('usage-invalid', 'With --delete into / everything else of this machine would go.', {
    hint: 'Say with --include or --exclude what may.',
  });
}

interface Restoring {
  readonly repository: Repository;
  readonly tree: SnapshotTree;
  readonly options: RestoreCommandOptions;
  readonly patterns: RestorePatterns;
}

async function restoreTree(
  context: CliContext,
  { repository, tree, options, patterns }: Restoring,
): Promise<RestoreResult> {
  const isWhole = tree.path.length === 0;
  const totalBytes = isWhole ? (tree.snapshot.summary?.totalBytesProcessed ?? null) : null;
  const totals = () => ({ files: null, bytes: totalBytes });
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
      dryRun: options.dryRun === true,
    },
    patterns,
    progress: context.asJson
      ? jsonProgress(context, totals, restoreStatusFields)
      : entryProgress(view, 'restoring', totals),
    ...(options.verbose === true ? { entries: { report: (entry) => writeEntry(context, entry) } } : {}),
    signal: context.interrupts.signal,
  });
}

function restoreStatusFields({ bytes, files, totals }: JsonStatus): object {
  const total = totals.bytes === null ? {} : { total_bytes: totals.bytes };
  return { files_restored: files, ...total, bytes_restored: bytes };
}

/** What becomes of an entry, on standard output: a line, or restic's object. */
function writeEntry({ asJson, output }: CliContext, { action, path, bytes }: RestoredEntry): void {
  const message = { message_type: 'verbose_status', action, item: path, size: bytes };
  output.line(asJson ? JSON.stringify(message) : printable(`${action.padEnd(9)} ${path}`));
}

interface Outcome {
  readonly tree: SnapshotTree;
  readonly result: RestoreResult;
  readonly options: RestoreCommandOptions;
  readonly durationMs: number;
}

function writeOutcome(context: CliContext, { tree, result, options, durationMs }: Outcome): void {
  const { summary } = result;
  const during = 'restore';
  writeWarnings(context, { ...result, during });
  writeWarnings(context, { warnings: result.failures, warningCount: result.failureCount, during });
  if (context.asJson) {
    context.output.line(JSON.stringify(summaryJson({ tree, result, options, durationMs })));
    return;
  }
  const facts = [formatNumberOf(summary.files, 'file'), formatBytes(summary.bytes)];
  if (summary.unchanged > 0) facts.push(`${formatNumberOf(summary.unchanged, 'file')} as they were already`);
  if (summary.skipped > 0) facts.push(`${formatNumberOf(summary.skipped, 'file')} left alone`);
  if (summary.deleted > 0) facts.push(`${formatNumberOf(summary.deleted, 'entry', 'entries')} removed`);
  const done = options.dryRun === true ? 'Nothing was written. It would restore' : 'Restored';
  context.notes.line(
    `${done} snapshot ${tree.snapshot.id.slice(0, 8)} into ${options.target}: ${facts.join(', ')}, in ${formatDuration(durationMs)}.`,
  );
}

/** As restic's `restore --json` ends, directories among the files; and which snapshot it was. */
function summaryJson({ tree, result: { summary }, options, durationMs }: Outcome): object {
  const total = summary.files + summary.dirs;
  const skipped = summary.unchanged + summary.skipped;
  return {
    message_type: 'summary',
    seconds_elapsed: durationMs / 1000,
    total_files: total,
    files_restored: total - skipped,
    files_skipped: skipped,
    files_deleted: summary.deleted,
    total_bytes: summary.bytes,
    bytes_restored: summary.bytes - summary.skippedBytes,
    bytes_skipped: summary.skippedBytes,
    snapshot_id: tree.snapshot.id,
    ...(options.dryRun === true ? { dry_run: true } : {}),
  };
}
