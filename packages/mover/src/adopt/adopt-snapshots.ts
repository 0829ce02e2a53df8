import { throwIfAborted } from '@holdfast/base';
import {
  type LockedRepository,
  type Snapshot,
  saveTopEntry,
  type TreeId,
  TreeTotals,
  toByteString,
} from '@holdfast/engine';
import { type AdoptTask, type Manifest, type SealedPart, snapshotTags } from '@holdfast/protocol';
import { saveManifestSnapshot, saveManifestTree } from '../capture/manifest.ts';
import { type PartResult, savePartSnapshot, type WritingBackup } from '../capture/part.ts';
import type { TaskContext } from '../task-context.ts';
import { adoptedId, adoptedManifest, timeMs } from './adopted-backup.ts';
import { partsOfSnapshot, type SnapshotPart } from './snapshot-parts.ts';

export interface Adopting {
  readonly task: AdoptTask;
  readonly context: TaskContext;
  readonly locked: LockedRepository;
}

type Writing = Adopting & Pick<WritingBackup, 'writer'>;

interface WrappedPart extends SnapshotPart {
  readonly treeId: TreeId;
  readonly summary: PartResult['summary'];
}

interface WrappedSnapshot {
  readonly snapshot: Snapshot;
  readonly parts: readonly WrappedPart[];
}

/** Their packs and indexes are written together: an index for each would slow down everybody who opens the repository. */
const atOnce = 100;

/**
 * Commits a backup for each snapshot, some at a time: trees, their index, parts, manifests and their index, and last the
 * manifests' snapshots. Part snapshots that a run which was cut off has left are used again.
 *
 * @param all of the repository
 */
export async function adoptSnapshots(
  snapshots: readonly Snapshot[],
  all: readonly Snapshot[],
  adopting: Adopting,
): Promise<void> {
  const { locked, context } = adopting;
  const { repository, lock, signal } = locked;
  await using writer = await repository.openWriter({ lock, signal });
  const totals = new TreeTotals(repository.blobs);
  const progress = context.phase('adopt');
  progress.expect({ files: snapshots.length, bytes: 0 });
  const done = progress.part(null);
  const left = Map.groupBy(
    all.filter(({ tags }) => tags.includes(snapshotTags.part)),
    ({ tags }) => tags.find((tag) => tag.startsWith(snapshotTags.ofBackup(''))),
  );
  for (let from = 0; from < snapshots.length; from += atOnce) {
    const wrapped: WrappedSnapshot[] = [];
    for (const snapshot of snapshots.slice(from, from + atOnce)) {
      throwIfAborted(signal);
      wrapped.push(await wrap(snapshot, totals, { ...adopting, writer }));
      done.report({ files: from + wrapped.length, bytes: 0 });
    }
    await writer.flush({ signal });
    await commit(wrapped, left, { ...adopting, writer });
  }
}

/** Saves the trees of its parts. */
async function wrap(
  snapshot: Snapshot,
  totals: TreeTotals,
  { locked, writer }: Writing,
): Promise<WrappedSnapshot> {
  const { repository, signal } = locked;
  const found = await partsOfSnapshot(snapshot, repository.blobs, { signal });
  const parts: WrappedPart[] = [];
  for (const part of found) {
    const treeId = await saveTopEntry(part.node, toByteString('data'), writer, { signal });
    // Nothing of what a part holds was stored for its sake.
    const summary = { ...(await totals.of(part.node, { signal })), storedBytes: 0, unsteadyFiles: 0 };
    parts.push({ ...part, treeId, summary });
  }
  return { snapshot, parts };
}

async function commit(
  wrapped: readonly WrappedSnapshot[],
  left: ReadonlyMap<string | undefined, readonly Snapshot[]>,
  writing: Writing,
): Promise<void> {
  const { task, context, locked, writer } = writing;
  const manifests: { readonly manifest: Manifest; readonly treeId: TreeId }[] = [];
  for (const { snapshot, parts } of wrapped) {
    throwIfAborted(locked.signal);
    const before = left.get(snapshotTags.ofBackup(adoptedId(task, snapshot))) ?? [];
    const sealed: SealedPart[] = [];
    for (const part of parts) sealed.push(await saveAdoptedPart(part, snapshot, before, writing));
    const manifest = adoptedManifest(task, snapshot, { parts: sealed, nowMs: context.clock.now() });
    manifests.push({ manifest, treeId: await saveManifestTree(manifest, { locked, writer }) });
  }
  await writer.flush({ signal: locked.signal });
  for (const { manifest, treeId } of manifests) {
    throwIfAborted(locked.signal);
    const { snapshotId } = await saveManifestSnapshot(manifest, treeId, { locked });
    context.backup({ manifest, manifestSnapshotId: snapshotId, missingParts: [] });
  }
}

async function saveAdoptedPart(
  { name, source, treeId, summary }: WrappedPart,
  snapshot: Snapshot,
  before: readonly Snapshot[],
  { task, context, locked, writer }: Writing,
): Promise<SealedPart> {
  const { files, bytes, storedBytes } = summary;
  const spec = { name, source, mountPoints: [] };
  const known = before.find(({ tree }) => tree === treeId);
  if (known !== undefined) return { ...spec, snapshotId: known.id, treeId, files, bytes, storedBytes };
  const manifest = adoptedManifest(task, snapshot, { parts: [], nowMs: context.clock.now() });
  const result = { treeId, summary, warnings: [], warningCount: 0 };
  const saved = { spec, startedAtMs: timeMs(snapshot.time), previousId: undefined, result };
  return await savePartSnapshot(saved, storedBytes, { task: { manifest }, context, locked, writer });
}
