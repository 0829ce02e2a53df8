import { isHoldfastError } from '@holdfast/base';
import {
  asId,
  openAtLocation,
  openToRead,
  type Repository,
  type Snapshot,
  type TreeId,
} from '@holdfast/engine';
import { type Manifest, type RebuildTask, snapshotTags } from '@holdfast/protocol';
import { type ReadManifest, readManifest } from './read-manifest.ts';
import type { TaskContext } from './task-context.ts';

/**
 * Tells every backup that was committed to the repository; what is broken in it keeps nothing else from being told. Only
 * after `commit` something is written: a key for the repository's own password, unless that opens it already.
 */
export async function runRebuildTask(task: RebuildTask, context: TaskContext): Promise<void> {
  await context.waitForGo();
  await using locked = await openToRead(task.repository, context);
  const { repository, signal } = locked;
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  // Once more: of what was listed, all is known then.
  await repository.refreshIndex({ signal });
  for (const { id } of damaged) context.warn(`The snapshot ${id} cannot be read.`);

  const known = new Map(snapshots.map((snapshot) => [snapshot.id as string, snapshot]));
  for (const revisions of revisionsByBackup(snapshots).values()) {
    const newest = await newestOf(revisions, repository, context, signal);
    if (newest === undefined) continue;
    const missingParts = newest.manifest.parts
      .filter((part) => !isThere(part, known, repository))
      .map(({ name }) => name);
    context.backup({ ...newest, missingParts });
  }

  await context.sealAndWaitForCommit();
  context.committed(null, null);
  if (await opensWith(task, context)) return;
  await repository.keys.add(task.ownPassword);
}

/** The snapshots with manifests, by the tag that names their backup. */
function revisionsByBackup(snapshots: readonly Snapshot[]): Map<string, Snapshot[]> {
  const ofAny = snapshotTags.ofBackup('');
  const manifests = snapshots.filter(({ tags }) => tags.includes(snapshotTags.manifest));
  return Map.groupBy(manifests, ({ id, tags }) => tags.find((tag) => tag.startsWith(ofAny)) ?? id);
}

async function newestOf(
  revisions: readonly Snapshot[],
  repository: Repository,
  context: TaskContext,
  signal: AbortSignal,
): Promise<ReadManifest | undefined> {
  let newest: ReadManifest | undefined;
  for (const snapshot of revisions) {
    const read = await readManifest(snapshot, repository.blobs, { signal });
    if ('problem' in read) context.warn(`The manifest in snapshot ${snapshot.id} ${read.problem}`);
    else if (newest === undefined || read.manifest.revision >= newest.manifest.revision) newest = read;
  }
  return newest;
}

function isThere(
  { snapshotId, treeId }: Manifest['parts'][number],
  known: ReadonlyMap<string, Snapshot>,
  { blobs }: Repository,
): boolean {
  return known.get(snapshotId)?.tree === treeId && blobs.hasBlob('tree', asId<TreeId>(treeId));
}

async function opensWith({ repository, ownPassword }: RebuildTask, context: TaskContext): Promise<boolean> {
  try {
    await openAtLocation({ ...repository, password: ownPassword }, context);
    return true;
  } catch (error) {
    if (isHoldfastError(error, 'password-wrong')) return false;
    throw error;
  }
}
