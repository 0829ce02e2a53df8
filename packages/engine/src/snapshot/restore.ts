import { HoldfastError } from '@holdfast/base';
import { type ByteString, type FilePath, toByteString } from '../format/byte-string.ts';
import type { RestoreNodeRequest, RestoreResult, RestoreSnapshotRequest } from './restore-request.ts';
import { findNode } from './tree-reader.ts';

/**
 * Makes `targetPath` itself equal to a node of a snapshot: a directory its contents and its own metadata, a file
 * its content. Everything is reached from the target's parent one component at a time and never through a symbolic
 * link; one in the way is replaced. Each file is old or new at every moment, whenever the restore is cut off.
 *
 * @throws HoldfastError `path-unknown`; `target-unsafe` when the snapshot has names that lead elsewhere, or the target
 * is a symbolic link; `target-full`, `target-not-writable`; `interrupted`; whatever the repository throws, except for
 * single files whose data is lost: those are failures
 */
export async function restoreNode(request: RestoreNodeRequest): Promise<RestoreResult> {
  const [top, ...rest] = request.nodePath;
  const nodePath = [toByteString(top), ...rest.map(toByteString)] as const;
  const node = await findNode(request.blobs, request.treeId, nodePath, request);
  // Other verbs do not load it.
  const { runRestore } = await import('./restore-run.ts');
  return await runRestore(request, { kind: 'node', node, path: targetPathOf(request.targetPath) });
}

/** Restores the top entries of a tree, or what patterns select of it, into a directory. For the rest see `restoreNode`. */
export async function restoreSnapshot(request: RestoreSnapshotRequest): Promise<RestoreResult> {
  const path = targetPathOf(request.targetDirectory);
  const { patterns, treeId } = request;
  const { runRestore } = await import('./restore-run.ts');
  return await runRestore(request, { kind: 'contents', treeId, path, patterns });
}

function targetPathOf(path: FilePath): ByteString {
  const bytes = toByteString(path);
  if (bytes === '' || bytes.includes('\0')) {
    throw new HoldfastError('usage-invalid', 'The target is empty or not a path.', { hint: 'Give a path.' });
  }
  return bytes;
}
