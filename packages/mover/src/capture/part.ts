import { HoldfastError, isHoldfastError } from '@holdfast/base';
import {
  type BackupResult,
  type BackupSource,
  type BlobWriter,
  backupSources,
  type ChunkWindows,
  inodesMappedForWriting,
  type LockedRepository,
  type ParentBackup,
  type ProgressSink,
  type SnapshotId,
  type Standstill,
  type TreeSpool,
  utcTimestamp,
} from '@holdfast/engine';
import { type BackupTask, type SealedPart, snapshotTags } from '@holdfast/protocol';
import { programVersion } from '../program-version.ts';
import type { TaskContext } from '../task-context.ts';

/** A part of files: what is read for it, and where that stands in its tree. */
export interface PartSpec extends Pick<SealedPart, 'name' | 'source' | 'mountPoints'> {
  readonly sources: readonly BackupSource[];
  /** Patterns of absolute paths that are left out. */
  readonly excludes: readonly string[];
  /** The newest snapshot of the same part, for skipping unchanged files. */
  readonly parentSnapshotId: string | null;
  /** An empty source fails the part. */
  readonly mustNotBeEmpty: boolean;
}

/** The part that a mount becomes. */
export function partOfMount({ path, ...part }: BackupTask['parts'][number]): PartSpec {
  return { ...part, sources: [{ path, treePath: ['data'] }], excludes: [] };
}

/** A backup that is being written, wherever its parts come from. */
export interface WritingBackup {
  readonly task: Pick<BackupTask, 'manifest'>;
  readonly context: TaskContext;
  readonly locked: LockedRepository;
  readonly writer: BlobWriter;
}

export interface WritingTask extends WritingBackup {
  readonly task: BackupTask;
  /** Those of files. */
  readonly parts: readonly PartSpec[];
  readonly windows: ChunkWindows;
}

/** What counts of a part's contents once they are saved. */
export interface PartResult extends Omit<BackupResult, 'summary'> {
  readonly summary: Pick<BackupResult['summary'], 'files' | 'bytes' | 'storedBytes' | 'unsteadyFiles'>;
}

/** A part whose contents are saved; it counts once its snapshot is. */
export interface SavedPart {
  readonly spec: Pick<SealedPart, 'name' | 'source' | 'mountPoints'>;
  /**
   * Before this pass, or the one before it where the sources stood still, looked at any file and what waited in memory
   * was written to storage: what the next backup may trust files by.
   */
  readonly startedAtMs: number;
  readonly previousId: SnapshotId | undefined;
  readonly result: PartResult;
}

/** One of files, which a further pass may be compared with. */
export interface ReadPart extends SavedPart {
  readonly spec: PartSpec;
}

/** How a part is read. */
export interface Pass {
  /** What it is compared with; undefined for the newest snapshot of the part. */
  readonly before?: ReadPart | undefined;
  readonly trees?: TreeSpool | undefined;
  readonly standstill?: Standstill | undefined;
  /** The sources do stand still: what the pass before wrote to storage is enough. */
  readonly isFinal?: boolean;
  readonly rereads?: number;
  readonly memoryBytes: number;
  readonly progress?: ProgressSink;
  readonly signal: AbortSignal;
}

/**
 * Saves a part's contents as a tree whose one entry is `data`.
 * @throws HoldfastError `source-empty` when it held data before and holds none now
 */
export async function readPart(spec: PartSpec, writing: WritingTask, pass: Pass): Promise<ReadPart> {
  const { locked, writer, windows } = writing;
  const { repository } = locked;
  const { before, trees, standstill, isFinal = false, rereads = 0, memoryBytes, progress, signal } = pass;
  const startedAtMs = isFinal && before !== undefined ? before.startedAtMs : writing.context.clock.now();
  const previous = before === undefined ? await findPrevious(spec, locked) : undefined;
  const result = await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    windows,
    sources: spec.sources,
    excludes: spec.excludes,
    leftByRestores: true,
    parent: before === undefined ? previous : { ...before, treeId: before.result.treeId },
    trees,
    standstill,
    options: {
      mappedWrites: { sync: !isFinal, inodes: inodesMappedForWriting() },
      rereads,
      memoryBytes,
    },
    progress,
    signal,
  });
  if (spec.mustNotBeEmpty && result.summary.files === 0) throw emptySource(spec);
  return { spec, startedAtMs, previousId: before?.previousId ?? previous?.id, result };
}

/** Its blobs have to be flushed before. `storedBytes`: what all passes over the part added. */
export async function savePartSnapshot(
  { spec, startedAtMs, previousId, result }: SavedPart,
  storedBytes: number,
  { task, context, locked }: WritingBackup,
): Promise<SealedPart> {
  const { name, source, mountPoints } = spec;
  const { environment, backupId } = task.manifest;
  for (const { path, message } of result.warnings) context.warn(`${name}: ${path}: ${message}`);
  context.countWarnings(result.warningCount - result.warnings.length);
  const snapshot = await locked.repository.snapshots.save(
    {
      time: utcTimestamp(startedAtMs),
      parent: previousId,
      tree: result.treeId,
      paths: [`/holdfast/${environment.name}/${name}`],
      hostname: environment.node,
      username: '',
      uid: 0,
      gid: 0,
      excludes: [],
      tags: [snapshotTags.part, snapshotTags.ofBackup(backupId)],
      programVersion,
    },
    locked,
  );
  const { files, bytes } = result.summary;
  const part = {
    name,
    source,
    mountPoints,
    snapshotId: snapshot.id,
    treeId: result.treeId,
    files,
    bytes,
    storedBytes,
  };
  context.part(part);
  return part;
}

/** A snapshot to compare with only saves work: one that is gone or cannot be read is done without. */
async function findPrevious(
  { parentSnapshotId }: PartSpec,
  { repository, signal }: LockedRepository,
): Promise<(ParentBackup & { readonly id: SnapshotId }) | undefined> {
  if (parentSnapshotId === null) return undefined;
  try {
    const { id, tree, time } = await repository.snapshots.find(parentSnapshotId, { signal });
    return { id, treeId: tree, startedAtMs: Number(time.epochNs / 1_000_000n) };
  } catch (error) {
    if (isHoldfastError(error, 'snapshot-unknown', 'repository-damaged')) return undefined;
    throw error;
  }
}

function emptySource({ name }: PartSpec): HoldfastError {
  return new HoldfastError('source-empty', `${name} held data in the last backup and is empty now.`, {
    hint: 'See why. If it is meant to be empty, create the backup with --allow-empty.',
    context: { part: name },
  });
}
