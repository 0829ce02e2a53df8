import { asId, type Repository, type Snapshot, type TreeId } from '@holdfast/engine';
import { type FoundBackup, type Manifest, snapshotTags } from '@holdfast/protocol';
import { type ReadManifest, readManifest } from './read-manifest.ts';
import type { TaskContext } from './task-context.ts';

export interface FindBackupsOptions {
  /** With an index that is not older than the snapshots. */
  readonly repository: Repository;
  readonly context: TaskContext;
  readonly signal: AbortSignal;
}

/**
 * Every backup that was committed, as its highest revision says, and which of its parts are gone. What is broken is a
 * warning, and keeps nothing else from being found.
 */
export async function findBackups(
  snapshots: readonly Snapshot[],
  options: FindBackupsOptions,
): Promise<readonly FoundBackup[]> {
  const known = new Map(snapshots.map((snapshot) => [snapshot.id as string, snapshot]));
  const found: FoundBackup[] = [];
  for (const revisions of revisionsByBackup(snapshots).values()) {
    const newest = await newestOf(revisions, options);
    if (newest === undefined) continue;
    const missingParts = newest.manifest.parts
      .filter((part) => !isThere(part, known, options.repository))
      .map(({ name }) => name);
    found.push({ ...newest, missingParts });
  }
  return found;
}

/** The snapshots with manifests, by the tag that names their backup. */
function revisionsByBackup(snapshots: readonly Snapshot[]): Map<string, Snapshot[]> {
  const ofAny = snapshotTags.ofBackup('');
  const manifests = snapshots.filter(({ tags }) => tags.includes(snapshotTags.manifest));
  return Map.groupBy(manifests, ({ id, tags }) => tags.find((tag) => tag.startsWith(ofAny)) ?? id);
}

async function newestOf(
  revisions: readonly Snapshot[],
  { repository, context, signal }: FindBackupsOptions,
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
