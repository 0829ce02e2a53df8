import { resolve } from 'node:path';
import { type ExitStatus, exitStatus } from '@holdfast/base';
import {
  type BackupResult,
  backupSources,
  localTimestamp,
  type Repository,
  type RepositoryLock,
  type Snapshot,
  sourcesFromArguments,
  systemRuntime,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { programVersion } from '../program-version.ts';
import { entryProgress } from '../terminal/entry-progress.ts';
import { showProgress } from '../terminal/show-progress.ts';
import { type FinishedBackup, writeBackupSummary } from './backup-summary.ts';
import { countTotals } from './count-totals.ts';
import { CountedWriter } from './counted-writer.ts';
import { lockShared, openGivenRepository } from './open-given-repository.ts';
import type { LockedRepositoryOptions } from './repository-options.ts';

export interface BackupCommandOptions extends LockedRepositoryOptions {
  readonly exclude?: readonly string[];
  readonly oneFileSystem?: boolean;
  readonly tag?: readonly string[];
  readonly host?: string;
  readonly parent?: string;
  readonly force?: boolean;
}

/** What is known before the first file is looked at. */
interface Plan {
  readonly paths: readonly string[];
  readonly hostname: string;
  readonly tags: readonly string[];
  readonly startedAtNs: bigint;
  readonly parent: Snapshot | undefined;
  readonly options: BackupCommandOptions;
}

/** Exit status 3 when something could not be read; the snapshot then has all the rest. */
export async function backUpPaths(
  context: CliContext,
  paths: readonly string[],
  options: BackupCommandOptions,
): Promise<ExitStatus> {
  const begunAtMs = context.clock.elapsed();
  const repository = await openGivenRepository(context, options);
  await using lock = await lockShared(context, repository, options);
  const plan = await planBackup(context, repository, { paths, options });
  const saved = await saveSnapshot(context, { repository, lock, plan });
  const durationMs = context.clock.elapsed() - begunAtMs;
  writeBackupSummary(context, { ...saved, durationMs });
  return saved.result.warningCount === 0 ? exitStatus.done : exitStatus.warnings;
}

async function planBackup(
  context: CliContext,
  repository: Repository,
  { paths, options }: { paths: readonly string[]; options: BackupCommandOptions },
): Promise<Plan> {
  const { signal } = context.interrupts;
  const hostname = options.host ?? systemRuntime().identity.hostname;
  const absolutePaths = paths.map((path) => resolve(context.folder, path));
  return {
    paths,
    hostname,
    tags: (options.tag ?? []).flatMap((tags) => tags.split(',')).filter((tag) => tag !== ''),
    startedAtNs: BigInt(context.clock.now()) * 1_000_000n,
    parent: await findParent(repository, { options, hostname, absolutePaths, signal }),
    options,
  };
}

interface ParentRequest {
  readonly options: BackupCommandOptions;
  readonly hostname: string;
  readonly absolutePaths: readonly string[];
  readonly signal: AbortSignal;
}

/** The latest snapshot of the same host and paths; one that cannot be read only costs time, and is passed over. */
async function findParent(
  repository: Repository,
  { options, hostname, absolutePaths, signal }: ParentRequest,
): Promise<Snapshot | undefined> {
  if (options.force === true) return undefined;
  if (options.parent !== undefined) return await repository.snapshots.find(options.parent, { signal });
  const { snapshots } = await repository.snapshots.list({ hostname, paths: absolutePaths, signal });
  return snapshots.at(-1);
}

interface Saving {
  readonly repository: Repository;
  readonly lock: RepositoryLock;
  readonly plan: Plan;
}

async function saveSnapshot(
  context: CliContext,
  { repository, lock, plan }: Saving,
): Promise<Omit<FinishedBackup, 'durationMs'>> {
  const { signal } = context.interrupts;
  await using writer = new CountedWriter(await repository.openWriter({ lock, signal }));
  const result = await readSources(context, { repository, plan, writer });
  await writer.flush({ signal });
  const { identity } = systemRuntime();
  const { fileCounts, dirCounts, files, bytes } = result.summary;
  const { id: snapshotId } = await repository.snapshots.save(
    {
      time: localTimestamp(plan.startedAtNs),
      parent: plan.parent?.id,
      tree: result.treeId,
      paths: plan.paths.map((path) => resolve(context.folder, path)),
      hostname: plan.hostname,
      username: identity.username,
      uid: identity.uid,
      gid: identity.gid,
      excludes: plan.options.exclude ?? [],
      tags: plan.tags,
      programVersion: `holdfast ${programVersion}`,
      summary: {
        backupStart: localTimestamp(plan.startedAtNs),
        backupEnd: localTimestamp(BigInt(context.clock.now()) * 1_000_000n),
        filesNew: fileCounts.new,
        filesChanged: fileCounts.changed,
        filesUnmodified: fileCounts.unmodified,
        dirsNew: dirCounts.new,
        dirsChanged: dirCounts.changed,
        dirsUnmodified: dirCounts.unmodified,
        dataBlobs: writer.dataBlobs,
        treeBlobs: writer.treeBlobs,
        dataAdded: writer.addedBytes,
        dataAddedPacked: writer.storedBytes,
        totalFilesProcessed: files,
        totalBytesProcessed: bytes,
      },
    },
    { lock, signal },
  );
  return { snapshotId, result, writer };
}

interface Reading {
  readonly repository: Repository;
  readonly plan: Plan;
  readonly writer: CountedWriter;
}

async function readSources(
  context: CliContext,
  { repository, plan, writer }: Reading,
): Promise<BackupResult> {
  const sources = sourcesFromArguments(plan.paths);
  const excludes = plan.options.exclude ?? [];
  using view = showProgress(context);
  await using totals = countTotals(context, { sources, excludes });
  return await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    sources,
    parent: plan.parent && {
      treeId: plan.parent.tree,
      startedAtMs: Number(plan.parent.time.epochNs / 1_000_000n),
    },
    excludes,
    options: { localTime: true, ownerNames: true, oneFileSystem: plan.options.oneFileSystem === true },
    progress: entryProgress(view, 'reading files', () => totals.known),
    signal: context.interrupts.signal,
  });
}
