import { type ExitStatus, exitStatus } from '@holdfast/base';
import {
  type BackupResult,
  type BlobWriter,
  backupSources,
  DryBlobWriter,
  localTimestamp,
  type Repository,
  type RepositoryLock,
  type Snapshot,
  type SnapshotId,
  type SnapshotRecord,
  systemRuntime,
} from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { programVersion } from '../program-version.ts';
import { entryProgress } from '../terminal/entry-progress.ts';
import { showProgress } from '../terminal/show-progress.ts';
import { type BackupInput, backupInput } from './backup-input.ts';
import { type BackupCommandOptions, excludeTags } from './backup-options.ts';
import { backupStatusFields, type FinishedBackup, writeBackupSummary } from './backup-summary.ts';
import { countTotals } from './count-totals.ts';
import { CountedWriter } from './counted-writer.ts';
import { jsonProgress } from './json-status.ts';
import { lockShared, openGivenRepository } from './open-given-repository.ts';
import { latestOfGroup, parentBackup } from './parent-snapshot.ts';
import { excludePatterns } from './pattern-options.ts';

/** What is known before the first file is looked at. */
interface Plan {
  readonly input: BackupInput;
  readonly rules: Awaited<ReturnType<typeof excludeRules>>;
  readonly hostname: string;
  readonly tags: readonly string[];
  readonly timeNs: bigint;
  readonly startedAtNs: bigint;
  readonly options: BackupCommandOptions;
}

interface Saving {
  readonly repository: Repository;
  /** null for a dry run. */
  readonly lock: RepositoryLock | null;
  readonly plan: Plan;
}

type SavedBackup = Omit<FinishedBackup, 'durationMs'>;

/** Exit status 3 when something could not be read; the snapshot then has all the rest. */
export async function backUpPaths(
  context: CliContext,
  paths: readonly string[],
  options: BackupCommandOptions,
): Promise<ExitStatus> {
  const begunAtMs = context.clock.elapsed();
  const plan = await planBackup(context, paths, options);
  const repository = await openGivenRepository(context, options);
  const preloading = repository.preloadIndex({ signal: context.interrupts.signal });
  await using lock = options.dryRun === true ? null : await lockShared(context, repository, options);
  await preloading;
  const saved = await saveSnapshot(context, { repository, lock, plan });
  writeBackupSummary(context, { ...saved, durationMs: context.clock.elapsed() - begunAtMs });
  return saved.result.warningCount === 0 ? exitStatus.done : exitStatus.warnings;
}

async function planBackup(
  context: CliContext,
  paths: readonly string[],
  options: BackupCommandOptions,
): Promise<Plan> {
  const startedAtNs = BigInt(context.clock.now()) * 1_000_000n;
  const timeNs = options.time === undefined ? startedAtNs : BigInt(options.time) * 1_000_000n;
  return {
    rules: await excludeRules(context, options),
    input: await backupInput(context, paths, { options, timeNs }),
    hostname: options.host ?? context.env.RESTIC_HOST ?? systemRuntime().identity.hostname,
    tags: (options.tag ?? []).flatMap((tags) => tags.split(',')).filter((tag) => tag !== ''),
    timeNs,
    startedAtNs,
    options,
  };
}

async function excludeRules(context: CliContext, options: BackupCommandOptions) {
  return {
    ...(await excludePatterns(context, options)),
    excludeIfPresent: excludeTags(options),
    excludeLargerThanBytes: options.excludeLargerThan,
  };
}

async function findParent(context: CliContext, { repository, plan }: Saving): Promise<Snapshot | undefined> {
  const { signal } = context.interrupts;
  const { hostname, input, options, tags, timeNs } = plan;
  if (options.force === true || input.streams.length > 0) return undefined;
  if (options.parent !== undefined) return await repository.snapshots.find(options.parent, { signal });
  return await latestOfGroup(repository, {
    groupBy: options.groupBy ?? ['host', 'paths'],
    hostname,
    paths: input.paths,
    tags,
    notAfterNs: timeNs,
    signal,
  });
}

async function saveSnapshot(context: CliContext, saving: Saving): Promise<SavedBackup> {
  const { repository, lock, plan } = saving;
  const { signal } = context.interrupts;
  const parent = await findParent(context, saving);
  await using writer = new CountedWriter(await openWriter(context, saving));
  const result = await readSources(context, { repository, plan, parent, writer });
  await writer.flush({ signal });
  const isUnchanged = plan.options.skipIfUnchanged === true && parent?.tree === result.treeId;
  const isDry = lock === null;
  if (isDry || isUnchanged) return { snapshotId: undefined, result, writer, isDry };
  const record = snapshotRecord(context, { plan, parent, result, writer });
  const { id: snapshotId }: { readonly id: SnapshotId } = await repository.snapshots.save(record, {
    lock,
    signal,
  });
  return { snapshotId, result, writer, isDry };
}

async function openWriter(context: CliContext, { repository, lock }: Saving): Promise<BlobWriter> {
  const { signal } = context.interrupts;
  if (lock !== null) return await repository.openWriter({ lock, signal });
  await repository.refreshIndex({ signal });
  return new DryBlobWriter(repository.blobs);
}

interface Reading {
  readonly repository: Repository;
  readonly plan: Plan;
  readonly parent: Snapshot | undefined;
  readonly writer: CountedWriter;
}

async function readSources(
  context: CliContext,
  { repository, plan, parent, writer }: Reading,
): Promise<BackupResult> {
  const { input, options, rules } = plan;
  using view = showProgress(context);
  const { sources } = input;
  await using totals = countTotals(context, { sources: options.scan === false ? [] : sources, ...rules });
  return await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    sources,
    streams: input.streams,
    parent: parent && parentBackup(parent),
    ...rules,
    options: {
      localTime: true,
      ownerNames: true,
      accessTimes: options.withAtime === true,
      oneFileSystem: options.oneFileSystem === true,
      ignoreChangeTime: options.ignoreCtime === true,
      ignoreInode: options.ignoreInode === true,
    },
    progress: context.asJson
      ? jsonProgress(context, () => totals.known, backupStatusFields)
      : entryProgress(view, 'reading files', () => totals.known),
    signal: context.interrupts.signal,
  });
}

function snapshotRecord(
  context: CliContext,
  { plan, parent, result, writer }: Pick<Reading, 'plan' | 'parent' | 'writer'> & { result: BackupResult },
): SnapshotRecord {
  const { identity } = systemRuntime();
  const { fileCounts, dirCounts, files, bytes } = result.summary;
  return {
    time: localTimestamp(plan.timeNs),
    parent: parent?.id,
    tree: result.treeId,
    paths: plan.input.paths,
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
  };
}
