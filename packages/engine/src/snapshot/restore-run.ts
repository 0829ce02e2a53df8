import { mkdirSync } from 'node:fs';
import { HoldfastError, TaskGroup } from '@holdfast/base';
import { atWorkingDirectory, statusAt, statusOf } from '../filesystem/file-status.ts';
import { openTrustedDirectory } from '../filesystem/open.ts';
import { syncFileSystem } from '../filesystem/sync.ts';
import { targetError } from '../filesystem/system-error.ts';
import { type ByteString, byteStringToBytes, byteStringToText } from '../format/byte-string.ts';
import { nodeTypeOf } from '../format/go-file-mode.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { BlobCopier } from '../repository/blob-store.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import { DirectoryRestorer } from './directory-restorer.ts';
import { EntryReports } from './entry-report.ts';
import { FileContent } from './file-content.ts';
import { HardLinks } from './hard-links.ts';
import { LazyDirectory } from './lazy-directory.ts';
import { ProgressCounter } from './progress.ts';
import type { RestoreContext } from './restore-context.ts';
import { RestorePreview } from './restore-preview.ts';
import type { RestoreRequest, RestoreResult } from './restore-request.ts';
import { compileSelection, type RestorePatterns, type RestoreSelection } from './restore-selection.ts';
import { baseName, parentPath } from './source-tree.ts';
import { TreeReadAhead } from './tree-read-ahead.ts';

const memoryBytes = 48 * 1024 * 1024;
const filesAtOnce = 256;
/** Not open: only what is to be done is kept. */
const newFilesAtOnce = 1536;
const mostOpenDirectories = 256;

/** What is restored, and where: a node that becomes `path` itself, or a tree's entries that go into it. */
export type RestoreTarget =
  | { readonly kind: 'node'; readonly node: Node; readonly path: ByteString }
  | {
      readonly kind: 'contents';
      readonly treeId: TreeId;
      readonly path: ByteString;
      readonly patterns: RestorePatterns | undefined;
    };

/** See `restoreNode` and `restoreSnapshot`. */
export async function runRestore(request: RestoreRequest, target: RestoreTarget): Promise<RestoreResult> {
  const select = selectionFor(target);
  try {
    if (request.options?.dryRun === true) return await runPreview(request, target, select);
    if (target.kind === 'contents') makeTargetDirectory(target.path);
    using root = openTrustedDirectory(target.kind === 'node' ? parentPath(target.path) : target.path);
    await using copier = openCopier(request);
    const context = createContext({ request, copier }, root.number, select);
    await runTasks(context, target);
    if (request.options?.syncTarget !== false) await syncFileSystem(root.number);
    return resultOf(context);
  } catch (error) {
    throw targetError(error, target.path);
  }
}

/** Patterns are about paths within the tree, the restore about paths in the target. */
function selectionFor(target: RestoreTarget): RestoreSelection {
  if (target.kind === 'node' || target.patterns === undefined) return compileSelection();
  const select = compileSelection(target.patterns);
  return (path) => select(path.slice(target.path.length) as ByteString);
}

async function runPreview(
  request: RestoreRequest,
  target: RestoreTarget,
  select: RestoreSelection,
): Promise<RestoreResult> {
  if (request.options?.verify === true) {
    throw new HoldfastError('usage-invalid', 'A restore that writes nothing has nothing to verify.', {
      hint: 'Leave out one of the two.',
    });
  }
  await using copier = openCopier(request);
  const context = createContext({ request, copier }, atWorkingDirectory, select);
  const preview = new RestorePreview(context);
  if (target.kind === 'contents') await preview.contents(target.path, target.treeId);
  else await preview.root(target.path, target.node);
  return resultOf(context);
}

async function runTasks(context: RestoreContext, target: RestoreTarget): Promise<void> {
  try {
    const restorer = new DirectoryRestorer(context);
    const { done } = await (target.kind === 'node'
      ? restoreTargetNode(restorer, context, target)
      : restoreTargetContents(restorer, context, target));
    await done;
  } catch (error) {
    context.tasks.fail(error);
    throw error;
  } finally {
    await context.tasks.settled();
  }
}

async function restoreTargetNode(
  restorer: DirectoryRestorer,
  { root }: RestoreContext,
  { node, path }: RestoreTarget & { kind: 'node' },
) {
  const name = baseName(path) === '' ? ('.' as ByteString) : baseName(path);
  const current = statusAt(root, name);
  if (current !== undefined && nodeTypeOf(current.mode) === 'symlink' && node.type !== 'symlink') {
    const context = { path: byteStringToText(path) };
    throw new HoldfastError('target-unsafe', `The target ${context.path} is a symbolic link.`, {
      hint: 'Give the path that it leads to.',
      context,
    });
  }
  return await restorer.restoreRoot({ directory: root, name, path, components: [name] }, node);
}

async function restoreTargetContents(
  restorer: DirectoryRestorer,
  { root }: RestoreContext,
  { treeId, path }: RestoreTarget & { kind: 'contents' },
) {
  const removableDevice = statusOf(root).deviceId;
  const open = { directory: root, path, components: [], isNew: false, removableDevice };
  const directory = new LazyDirectory(open, async () => open);
  await directory.open();
  return await restorer.restoreContents(directory, treeId);
}

function makeTargetDirectory(path: ByteString): void {
  mkdirSync(byteStringToBytes(path), { recursive: true, mode: 0o700 });
}

export function openCopier({ blobs, options }: Pick<RestoreRequest, 'blobs' | 'options'>): BlobCopier {
  return blobs.openCopier({ sparse: options?.sparse ?? false, willSync: options?.syncTarget !== false });
}

interface RestoreParts {
  readonly request: Pick<RestoreRequest, 'blobs' | 'options' | 'signal' | 'progress' | 'entries'>;
  readonly copier: BlobCopier;
}

/** @param root the open directory that everything is beneath */
export function createContext(
  { request, copier }: RestoreParts,
  root: number,
  select: RestoreSelection,
): RestoreContext {
  const { blobs, options = {} } = request;
  const tasks = new TaskGroup(request);
  const { signal } = tasks;
  return {
    trees: new TreeReadAhead(blobs, tasks),
    content: new FileContent({ blobs, copier, signal, memoryBytes, sparse: options.sparse ?? false }),
    links: new HardLinks(),
    tasks,
    files: new WeightedLimiter(filesAtOnce),
    newFiles: new WeightedLimiter(newFilesAtOnce),
    openDirectories: new WeightedLimiter(mostOpenDirectories),
    root,
    overwrite: options.overwrite ?? 'always',
    deleteExtraneous: options.deleteExtraneous ?? false,
    verify: options.verify ?? false,
    select,
    entries: request.entries ?? { report: () => {} },
    warnings: new EntryReports(),
    failures: new EntryReports(),
    progress: new ProgressCounter(request.progress),
    counts: { dirs: 0, unchanged: 0, skipped: 0, skippedBytes: 0, deleted: 0 },
  };
}

function resultOf({ counts, failures, progress, warnings }: RestoreContext): RestoreResult {
  return {
    summary: { files: progress.files, bytes: progress.bytes, ...counts },
    warnings: warnings.kept,
    warningCount: warnings.count,
    failures: failures.kept,
    failureCount: failures.count,
  };
}
