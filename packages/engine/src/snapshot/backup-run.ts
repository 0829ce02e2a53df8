import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { AccountNames } from '../filesystem/account-names.ts';
import { readAttributes } from '../filesystem/extended-attributes.ts';
import { atWorkingDirectory, isDirectory, statusAt, statusOfPath } from '../filesystem/file-status.ts';
import { type Descriptor, openTrustedDirectory } from '../filesystem/open.ts';
import { SystemError, sourceError } from '../filesystem/system-error.ts';
import { type ByteString, toByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import type { TreeId } from '../format/ids.ts';
import type { ExtendedAttribute } from '../format/node.ts';
import type { BackupContext } from './backup-context.ts';
import type { BackupRequest, BackupResult } from './backup-request.ts';
import { BackupTally } from './backup-tally.ts';
import { EntryReports } from './entry-report.ts';
import { EntrySaver, type Identity, type SavedEntry } from './entry-saver.ts';
import type { PathFilter } from './exclude-pattern.ts';
import { FileSaver } from './file-saver.ts';
import { PendingTree } from './pending-tree.ts';
import { ProgressCounter } from './progress.ts';
import { nodeOf } from './source-node.ts';
import {
  absolutePath,
  type BackupSource,
  baseName,
  buildSourceTree,
  parentPath,
  type SourceTree,
} from './source-tree.ts';
import { TaskGroup } from './task-group.ts';
import { TreeReadAhead } from './tree-read-ahead.ts';
import { WeightedLimiter } from './weighted-limiter.ts';

const memoryBytes = 64 * 1024 * 1024;
const mostOpenTrees = 64;
/** A file changed within this long before a backup may have been written to again with the same times. */
const distrustMs = 2000;

/** A backup request with its defaults resolved. */
export interface BackupPlan extends BackupRequest {
  readonly names: AccountNames;
  readonly isExcluded: PathFilter;
}

/** Runs the plan; see `backupSources`. */
export async function runBackup(plan: BackupPlan): Promise<BackupResult> {
  const tasks = new TaskGroup(plan);
  const context = createContext(plan, tasks);
  try {
    const sourceTree = buildSourceTree(existingSources(plan.sources, context.warnings));
    return {
      treeId: await new SourceTreeSaver(context).save(sourceTree, plan.parent?.treeId),
      summary: context.tally.summary(context.saver.storedBytes),
      warnings: context.warnings.kept,
      warningCount: context.warnings.count,
    };
  } catch (error) {
    tasks.fail(error);
    throw error;
  } finally {
    await tasks.settled();
  }
}

function createContext(plan: BackupPlan, tasks: TaskGroup): BackupContext {
  const progress = new ProgressCounter(plan.progress);
  const { localTime, oneFileSystem, syncSource } = plan.options ?? {};
  return {
    blobs: plan.blobs,
    parentTrees: new TreeReadAhead(plan.blobs, tasks),
    saver: new FileSaver({
      writer: plan.writer,
      polynomial: plan.polynomial,
      progress,
      signal: tasks.signal,
    }),
    tasks,
    memory: new WeightedLimiter(memoryBytes),
    openTrees: new WeightedLimiter(mostOpenTrees),
    names: plan.names,
    zone: localTime === true ? 'local' : 'utc',
    isExcluded: plan.isExcluded,
    trustedBefore: plan.parent === undefined ? undefined : timeOfMs(plan.parent.startedAtMs - distrustMs),
    devices: oneFileSystem === true ? new Set() : undefined,
    syncedDevices: syncSource === true ? new Set() : undefined,
    warnings: new EntryReports(),
    tally: new BackupTally(),
    progress,
  };
}

/** Those that are there, and a warning for each that is not. @throws HoldfastError when none is */
function existingSources(sources: readonly BackupSource[], warnings: EntryReports): BackupSource[] {
  const missing = new SystemError('ENOENT', 'statx');
  const existing = sources.filter((source) => {
    const path = toByteString(source.path);
    if (entryExists(path)) return true;
    warnings.addFailure(path, 'it was left out', missing);
    return false;
  });
  const [first] = sources;
  if (existing.length === 0 && first !== undefined) throw sourceError(missing, toByteString(first.path));
  return existing;
}

function entryExists(path: ByteString): boolean {
  try {
    return statusAt(atWorkingDirectory, path) !== undefined;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOTDIR') return false;
    throw sourceError(error, path);
  }
}

function timeOfMs(ms: number): FileTime {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanoseconds: Math.round((ms - seconds * 1000) * 1_000_000) };
}

/** Saves the directories above the sources, and the sources at their places in them. */
class SourceTreeSaver {
  readonly #context: BackupContext;
  readonly #entries: EntrySaver;
  #savedSources = 0;

  constructor(context: BackupContext) {
    this.#context = context;
    this.#entries = new EntrySaver(context);
  }

  async save(top: SourceTree, parentTreeId: TreeId | undefined): Promise<TreeId> {
    this.#allowDevices(top);
    const tree = await this.#saveChildren(top, parentTreeId);
    const plaintext = await tree.finish();
    if (this.#savedSources === 0) throw this.#nothingSaved();
    return await this.#context.saver.saveBlob('tree', plaintext);
  }

  /** With `oneFileSystem`, each source's own file system is one to stay on. */
  #allowDevices(source: SourceTree): void {
    if (source.isSource) this.#context.devices?.add(statusOfPath(source.path)?.deviceId ?? 0n);
    else for (const child of source.children.values()) this.#allowDevices(child);
  }

  async #saveChildren(above: SourceTree, parentTreeId: TreeId | undefined): Promise<PendingTree> {
    const parentTree = await this.#entries.parentTree(parentTreeId, above.path);
    const tree = new PendingTree(this.#context.zone);
    for (const [name, child] of [...above.children].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const identity = { name, previous: parentTree.find(name) };
      const saved = child.isSource
        ? await this.#saveSource(child.path, identity)
        : await this.#saveAbove(child, identity);
      if (saved !== undefined) tree.push(saved.node);
    }
    return tree;
  }

  async #saveSource(path: ByteString, identity: Identity): Promise<SavedEntry | undefined> {
    const name = path === '/' ? ('.' as ByteString) : baseName(path);
    using directory = openParent(path);
    const place = { directory: directory.number, name, path: absolutePath(path) };
    const saved = await this.#entries.save(place, identity);
    return saved === undefined ? undefined : { node: this.#countSource(saved.node) };
  }

  #countSource(node: SavedEntry['node']): SavedEntry['node'] {
    if (!(node instanceof Promise)) {
      this.#savedSources += 1;
      return node;
    }
    return node.then((saved) => {
      if (saved !== undefined) this.#savedSources += 1;
      return saved;
    });
  }

  /** A directory that is in the snapshot only for what is below it. */
  async #saveAbove(above: SourceTree, identity: Identity): Promise<SavedEntry | undefined> {
    const status = statusOfPath(above.path);
    if (status === undefined || !isDirectory(status)) {
      throw sourceError(new SystemError('ENOENT', 'statx'), above.path);
    }
    const tree = await this.#saveChildren(above, identity.previous?.subtree);
    // Above the sources, attributes may be closed to us: restic leaves them out without a word too.
    const extendedAttributes = readAttributesIfAllowed(above.path);
    const node = nodeOf(status, this.#context.names, { name: identity.name, extendedAttributes });
    return await this.#entries.finishDirectory(node, tree, identity.previous);
  }

  #nothingSaved(): HoldfastError {
    const [reason] = this.#context.warnings.kept;
    if (reason !== undefined) {
      return new HoldfastError('source-unreadable', `Could not read ${reason.path}: ${reason.message}.`, {
        hint: 'Run the backup as a user who may read it.',
        context: { path: reason.path },
      });
    }
    return new HoldfastError(
      'source-empty',
      'Every source was excluded, or is a socket: the backup would be empty.',
      {
        hint: 'Check the exclude patterns.',
      },
    );
  }
}

function openParent(path: ByteString): Descriptor {
  try {
    return openTrustedDirectory(parentPath(path));
  } catch (error) {
    throw sourceError(error, path);
  }
}

function readAttributesIfAllowed(path: ByteString): ExtendedAttribute[] {
  try {
    return readAttributes(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return [];
  }
}
