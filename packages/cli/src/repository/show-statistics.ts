import { type ExitStatus, exitStatus } from '@holdfast/base';
import {
  collectStatistics,
  type Repository,
  type Snapshot,
  type Statistics,
  type StatisticsMode,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { factLines } from '../output/facts.ts';
import { printable } from '../output/printable.ts';
import { formatBytes, formatCount } from '../output/quantities.ts';
import { showProgress } from '../terminal/show-progress.ts';
import { lockForReading, openGivenRepository } from './open-given-repository.ts';
import type { ReadingRepositoryOptions } from './repository-options.ts';
import { findSnapshot, isSelected, type SnapshotSelection, selectionOf } from './snapshot-selection.ts';

export interface StatsOptions extends ReadingRepositoryOptions, SnapshotSelection {
  readonly mode: StatisticsMode;
}

/** Exit status 3 when there are snapshots that cannot be read, and so do not count. */
export async function showStatistics(
  context: CliContext,
  ids: readonly string[],
  options: StatsOptions,
): Promise<ExitStatus> {
  const { signal } = context.interrupts;
  const repository = await openGivenRepository(context, options);
  await using _lock = await lockForReading(context, repository, options);
  const { snapshots, unreadable } = await countedSnapshots(context, repository, { ids, options });
  await repository.refreshIndex({ signal });
  const statistics = await collect(context, repository, { snapshots, mode: options.mode });
  if (options.json === true) context.output.line(JSON.stringify(statisticsJson(statistics)));
  else for (const line of statisticsLines(statistics, options.mode)) context.output.line(line);
  for (const message of unreadable) context.errors.line(printable(`warning: ${message}`));
  return unreadable.length === 0 ? exitStatus.done : exitStatus.warnings;
}

async function countedSnapshots(
  context: CliContext,
  repository: Repository,
  { ids, options }: { readonly ids: readonly string[]; readonly options: StatsOptions },
): Promise<{ readonly snapshots: readonly Snapshot[]; readonly unreadable: readonly string[] }> {
  const { signal } = context.interrupts;
  const selection = selectionOf(context, options);
  if (ids.length > 0) {
    const snapshots: Snapshot[] = [];
    for (const id of ids) snapshots.push(await findSnapshot(repository, id, { selection, signal }));
    return { snapshots, unreadable: [] };
  }
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  return {
    snapshots: snapshots.filter((snapshot) => isSelected(snapshot, selection)),
    unreadable: damaged.map(({ error }) => error.message),
  };
}

async function collect(
  context: CliContext,
  repository: Repository,
  { snapshots, mode }: { readonly snapshots: readonly Snapshot[]; readonly mode: StatisticsMode },
): Promise<Statistics> {
  using view = showProgress(context);
  const isOfTrees = mode === 'raw-data';
  return await collectStatistics(repository, {
    snapshots,
    mode,
    onProgress: (done) =>
      view.update({
        label: 'counting',
        unit: isOfTrees ? 'tree' : 'snapshot',
        files: done,
        filesTotal: isOfTrees ? null : snapshots.length,
        bytes: 0,
        bytesTotal: null,
      }),
    signal: context.interrupts.signal,
  });
}

/** Shares and ratios as restic gives them; each undefined where there is nothing to divide by. */
function ratiosOf({ totalBytes, compression }: Statistics): {
  readonly ratio: number | undefined;
  readonly progress: number | undefined;
  readonly spaceSaving: number | undefined;
} {
  if (compression === undefined) return { ratio: undefined, progress: undefined, spaceSaving: undefined };
  const { uncompressedBytes, compressedBlobBytes, compressedBlobUncompressedBytes } = compression;
  const hasAny = uncompressedBytes > 0;
  return {
    ratio: compressedBlobBytes > 0 ? compressedBlobUncompressedBytes / compressedBlobBytes : undefined,
    progress: hasAny ? (compressedBlobUncompressedBytes / uncompressedBytes) * 100 : undefined,
    spaceSaving: hasAny ? (1 - totalBytes / uncompressedBytes) * 100 : undefined,
  };
}

/** As restic's `stats --json`, which leaves out what is zero. */
function statisticsJson(statistics: Statistics): object {
  const { ratio, progress, spaceSaving } = ratiosOf(statistics);
  return {
    total_size: statistics.totalBytes,
    total_uncompressed_size: statistics.compression?.uncompressedBytes || undefined,
    compression_ratio: ratio || undefined,
    compression_progress: progress || undefined,
    compression_space_saving: spaceSaving || undefined,
    total_file_count: statistics.fileCount || undefined,
    total_blob_count: statistics.blobCount || undefined,
    snapshots_count: statistics.snapshotCount,
  };
}

function statisticsLines(statistics: Statistics, mode: StatisticsMode): string[] {
  const { ratio, progress, spaceSaving } = ratiosOf(statistics);
  const { compression, blobCount, fileCount } = statistics;
  const percent = (share: number | undefined): string | null =>
    share === undefined ? null : `${share.toFixed(2)} %`;
  return factLines(
    [
      ['mode', mode],
      ['snapshots', formatCount(statistics.snapshotCount)],
      ['blobs', blobCount === 0 ? null : formatCount(blobCount)],
      ['files', fileCount === 0 ? null : formatCount(fileCount)],
      [
        'size without compression',
        compression === undefined ? null : formatBytes(compression.uncompressedBytes),
      ],
      ['compressed', percent(progress)],
      ['compression ratio', ratio === undefined ? null : ratio.toFixed(2)],
      ['saved by compression', percent(spaceSaving)],
      ['size', formatBytes(statistics.totalBytes)],
    ],
    Number.POSITIVE_INFINITY,
  );
}
