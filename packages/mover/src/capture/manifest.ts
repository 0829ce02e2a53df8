import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupSources, type SnapshotId, type TreeId, utcTimestamp } from '@holdfast/engine';
import { type FreezeFacts, type Manifest, type SealedPart, snapshotTags } from '@holdfast/protocol';
import { programVersion } from '../program-version.ts';
import type { Captured } from './capture.ts';
import type { WritingBackup } from './part.ts';

export interface SavedManifest {
  readonly manifest: Manifest;
  readonly snapshotId: SnapshotId;
}

export interface SealedBackup {
  readonly captured: Captured;
  readonly parts: readonly SealedPart[];
  /** What the server saw of it. */
  readonly freeze: FreezeFacts | undefined;
}

const notFrozen: FreezeFacts = { frozenMs: null, requestsHeld: null, longestWaitMs: null };

/**
 * Commits the backup: a snapshot whose one file, `manifest.json`, says what belongs to it. All parts have to be on
 * stable storage before.
 */
export async function saveManifest(
  { captured, parts, freeze }: SealedBackup,
  { task, context, locked, writer }: WritingBackup,
): Promise<SavedManifest> {
  const manifest: Manifest = {
    ...task.manifest,
    mode: captured.mode,
    finishedAtMs: context.clock.now(),
    parts: [...parts],
    capture: {
      ...(freeze ?? notFrozen),
      unsteadyFiles: captured.parts.reduce((sum, { result }) => sum + result.summary.unsteadyFiles, 0),
    },
    log: [...context.log],
  };
  return await saveRevision(manifest, { locked, writer });
}

/** Writes a manifest as it is: the first, or a later revision of it. */
export async function saveRevision(manifest: Manifest, writing: Writing): Promise<SavedManifest> {
  const treeId = await saveManifestTree(manifest, writing);
  await writing.writer.flush({ signal: writing.locked.signal });
  return await saveManifestSnapshot(manifest, treeId, writing);
}

type Writing = Pick<WritingBackup, 'locked' | 'writer'>;

/** It counts for nothing until its snapshot is saved; the writer has to be flushed before. */
export async function saveManifestTree(manifest: Manifest, { locked, writer }: Writing): Promise<TreeId> {
  const { repository, signal } = locked;
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'manifest.json');
  await writeFile(path, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  const { treeId } = await backupSources({
    writer,
    blobs: repository.blobs,
    polynomial: repository.polynomial,
    sources: [{ path, treePath: ['manifest.json'] }],
    signal,
  });
  return treeId;
}

/** From its return on, the backup is committed. */
export async function saveManifestSnapshot(
  manifest: Manifest,
  tree: TreeId,
  { locked }: Pick<WritingBackup, 'locked'>,
): Promise<SavedManifest> {
  const { environment, backupId } = manifest;
  const snapshot = await locked.repository.snapshots.save(
    {
      time: utcTimestamp(manifest.finishedAtMs),
      tree,
      paths: [`/holdfast/${environment.name}/manifest.json`],
      hostname: environment.node,
      username: '',
      uid: 0,
      gid: 0,
      excludes: [],
      tags: [snapshotTags.manifest, snapshotTags.ofBackup(backupId)],
      programVersion,
    },
    locked,
  );
  return { manifest, snapshotId: snapshot.id };
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-manifest-'));
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true });
    },
  };
}
