import { HoldfastError, isHoldfastError } from '@holdfast/base';
import {
  type BackupResult,
  type BlobWriter,
  backupSources,
  type ParentBackup,
  type SnapshotId,
  utcTimestamp,
} from '@holdfast/engine';
import { type BackupTask, type SealedPart, snapshotTags } from '@holdfast/protocol';
import type { LockedRepository } from './open-for-task.ts';
import type { PhaseProgress } from './phase-progress.ts';
import { programVersion } from './program-version.ts';
import type { TaskContext } from './task-context.ts';

type PartSpec = BackupTask['parts'][number];

export interface WritingTask {
  readonly task: BackupTask;
  readonly context: TaskContext;
  readonly locked: LockedRepository;
  readonly writer: BlobWriter;
  readonly progress: PhaseProgress;
}

/** A part whose contents are saved; it counts once its snapshot is. */
export interface ReadPart {
  readonly spec: PartSpec;
  readonly startedAtMs: number;
  readonly parentId: SnapshotId | undefined;
  readonly result: BackupResult;
}

/**
 * Saves a part's contents as a tree whose one entry is `data`.
 * @throws HoldfastError `source-empty` when it held data before and holds none now
 */
export async function readPart(spec: PartSpec, writing: WritingTask): Promise<ReadPart> {
  const { context, locked, writer, progress } = writing;
  const { repository, signal } = locked;
  const startedAtMs = context.clock.now();
  const parent = await findParent(spec, locked);
  const result = await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    sources: [{ path: spec.path, treePath: ['data'] }],
    parent,
    options: { mappedWrites: { sync: true, inodes: new Set() } },
    progress: progress.part(spec.name),
    signal,
  });
  if (spec.mustNotBeEmpty && result.summary.files === 0) throw emptySource(spec);
  for (const { path, message } of result.warnings) context.warn(`${spec.name}: ${path}: ${message}`);
  context.countWarnings(result.warningCount - result.warnings.length);
  return { spec, startedAtMs, parentId: parent?.id, result };
}

/** Its blobs have to be flushed before. */
export async function savePartSnapshot(
  read: ReadPart,
  { task, context, locked }: WritingTask,
): Promise<SealedPart> {
  const { spec, result } = read;
  const { name, source, mountPoints } = spec;
  const { environment, backupId } = task.manifest;
  const snapshot = await locked.repository.snapshots.save(
    {
      time: utcTimestamp(read.startedAtMs),
      parent: read.parentId,
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
  const { files, bytes, storedBytes } = result.summary;
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

/** A parent only saves work: one that is gone or cannot be read is done without. */
async function findParent(
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

function emptySource({ name, path }: PartSpec): HoldfastError {
  return new HoldfastError('source-empty', `${name} held data in the last backup and is empty now.`, {
    hint: 'See why. If it is meant to be empty, create the backup with --allow-empty.',
    context: { part: name, path },
  });
}
