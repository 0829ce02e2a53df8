import { HoldfastError, systemErrorCode, TaskGroup, throwIfAborted } from '@holdfast/base';
import { ChunkWindows } from '../chunker/chunk-windows.ts';
import { type AccountNames, noAccountNames } from '../filesystem/account-names.ts';
import { readAttributes } from '../filesystem/extended-attributes.ts';
import {
  atWorkingDirectory,
  isDirectory,
  isRegularFile,
  statusAt,
  statusOfPath,
} from '../filesystem/file-status.ts';
import { FileSystems } from '../filesystem/file-system-type.ts';
import { type Descriptor, openFileAt, openTrustedDirectory } from '../filesystem/open.ts';
import { syncFileSystem } from '../filesystem/sync.ts';
import { SystemError, sourceError } from '../filesystem/system-error.ts';
import { type ByteString, byteStringToText, toByteString } from '../format/byte-string.ts';
import type { FileTime } from '../format/file-time.ts';
import { unixMode } from '../format/go-file-mode.ts';
import type { TreeId } from '../format/ids.ts';
import type { ExtendedAttribute } from '../format/node.ts';
import { NodeEncoder, type NodeHead } from '../format/node-encoder.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import { Aside } from './aside.ts';
import type { BackupContext } from './backup-context.ts';
import type { BackupRequest, BackupResult } from './backup-request.ts';
import { BackupTally } from './backup-tally.ts';
import { EntryReports } from './entry-report.ts';
import { EntrySaver } from './entry-saver.ts';
import { type Exclusion, leavesNothingOut } from './exclusion.ts';
import { contentMemoryBytes, FileSaver } from './file-saver.ts';
import type { ParentTree } from './parent-tree.ts';
import { PendingTree, type TreeEntry } from './pending-tree.ts';
import { ProgressCounter } from './progress.ts';
import { headOf, withContent } from './source-node.ts';
import {
  absolutePath,
  type BackupSource,
  baseName,
  buildSourceTree,
  parentPath,
  type SourceTree,
  type StreamSource,
} from './source-tree.ts';
import { TreeReadAhead } from './tree-read-ahead.ts';
import { type Identity, TreeSaver, type TreeSink } from './tree-saver.ts';

const mostOpenTrees = 64;
/** A file changed within this long before a backup may have been written to again with the same times. */
const distrustMs = 2000;

/** A backup request with its defaults resolved. */
export interface BackupPlan extends BackupRequest {
  readonly names: AccountNames;
  readonly exclusion: Exclusion;
}

/** Runs the plan; see `backupSources`. */
export async function runBackup(plan: BackupPlan): Promise<BackupResult> {
  const tasks = new TaskGroup(plan);
  const syncedDevices = new Set<bigint>();
  if (plan.options?.mappedWrites?.sync === true) await syncSources(plan, syncedDevices);
  using aside = plan.standstill && new Aside(plan.standstill, { blobs: plan.blobs, tasks });
  const context = createContext(plan, { tasks, syncedDevices, aside });
  try {
    const sources = existingSources(plan.sources, context.warnings);
    const sourceTree = buildSourceTree(sources, plan.streams);
    return {
      treeId: await new SourceTreeSaver(context).save(sourceTree, plan.parent?.treeId),
      summary: context.tally.summary(context.saver.storedBytes),
      warnings: context.warnings.kept,
      warningCount: context.warnings.count,
    };
  } catch (error) {
    tasks.fail(error);
    aside?.abandon(error);
    throw error;
  } finally {
    await tasks.settled();
  }
}

/** Writes what waits for the file systems of the sources to storage: what is mounted below follows on the way. */
async function syncSources({ sources, signal }: BackupPlan, syncedDevices: Set<bigint>): Promise<void> {
  for (const source of sources) {
    throwIfAborted(signal);
    const path = toByteString(source.path);
    try {
      const status = statusAt(atWorkingDirectory, path);
      if (status === undefined || !(isDirectory(status) || isRegularFile(status))) continue;
      if (syncedDevices.has(status.deviceId)) continue;
      using opened = openFileAt(atWorkingDirectory, path);
      await syncFileSystem(opened.number);
      syncedDevices.add(status.deviceId);
    } catch (error) {
      throw sourceError(error, path);
    }
  }
}

type RunParts = Pick<BackupContext, 'tasks' | 'syncedDevices' | 'aside'>;

function createContext(plan: BackupPlan, { tasks, syncedDevices, aside }: RunParts): BackupContext {
  const progress = new ProgressCounter(plan.progress);
  const { accessTimes, ignoreChangeTime, ignoreInode, localTime, mappedWrites, oneFileSystem, rereads } =
    plan.options ?? {};
  const memoryBytes = plan.options?.memoryBytes ?? contentMemoryBytes;
  const { polynomial, trees, windows = new ChunkWindows(polynomial), writer } = plan;
  const saver = new FileSaver({ writer, windows, trees, progress, signal: tasks.signal });
  const memory = new WeightedLimiter(memoryBytes);
  return {
    blobs: plan.blobs,
    parentTrees: new TreeReadAhead(plan.blobs, { spool: trees, signal: tasks.signal }),
    saver,
    tasks,
    memory,
    openTrees: new WeightedLimiter(aside === undefined ? mostOpenTrees : Number.POSITIVE_INFINITY),
    heads: { names: plan.names, accessTimes: accessTimes === true },
    encoder: new NodeEncoder(localTime === true ? 'local' : 'utc'),
    exclusion: plan.exclusion,
    fileSystems: new FileSystems(),
    ignoreChangeTime: ignoreChangeTime === true || ignoreInode === true,
    ignoreInode: ignoreInode === true,
    records: seesAll(plan) ? trees : undefined,
    trustedBefore: plan.parent === undefined ? undefined : timeOfMs(plan.parent.startedAtMs - distrustMs),
    devices: oneFileSystem === true ? new Set() : undefined,
    mappedWrites,
    syncedDevices,
    rereads: rereads ?? 0,
    aside,
    warnings: new EntryReports(),
    tally: new BackupTally(),
    progress,
  };
}

/** Whether nothing is left out on purpose, and files count as unchanged only by all of their status. */
function seesAll(plan: BackupPlan): boolean {
  const { accessTimes, ignoreChangeTime, ignoreInode, mappedWrites, oneFileSystem } = plan.options ?? {};
  const isPlain = ![accessTimes, ignoreChangeTime, ignoreInode, oneFileSystem].includes(true);
  return isPlain && mappedWrites !== undefined && leavesNothingOut(plan);
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
  readonly #trees: TreeSaver;
  readonly #entries: EntrySaver;
  #savedSources = 0;

  constructor(context: BackupContext) {
    this.#context = context;
    this.#trees = new TreeSaver(context);
    this.#entries = new EntrySaver(context, this.#trees);
  }

  async save(top: SourceTree, parentTreeId: TreeId | undefined): Promise<TreeId> {
    this.#allowDevices(top);
    using parentTree = await this.#trees.parentTree(parentTreeId, top.path);
    const tree = await this.#saveChildren(top, parentTree);
    await this.#context.aside?.complete();
    const plaintext = await tree.finish();
    this.#context.progress.tell();
    if (this.#savedSources === 0) throw this.#nothingSaved();
    return await this.#context.saver.saveBlob('tree', plaintext);
  }

  /** With `oneFileSystem`, each source's own file system is one to stay on. */
  #allowDevices(source: SourceTree): void {
    if (source.isSource) this.#context.devices?.add(statusOfPath(source.path)?.deviceId ?? 0n);
    else for (const child of source.children.values()) this.#allowDevices(child);
  }

  async #saveChildren(above: SourceTree, parent: ParentTree): Promise<PendingTree> {
    const tree = new PendingTree(this.#context.encoder);
    for (const [name, child] of [...above.children].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await this.#saveChild(child, { name, parent }, tree);
    }
    return tree;
  }

  async #saveChild(child: SourceTree, identity: Identity, into: TreeSink): Promise<void> {
    if (child.isSource) await this.#saveSource(child.path, identity, into);
    else if (child.stream === undefined) await this.#saveAbove(child, identity, into);
    else if (child.children.size === 0) await this.#saveStream(child.stream, identity, into);
    else {
      const head = streamHead(child.stream, identity.name, unixMode.directory | 0o755);
      await this.#saveParent(child, head, identity, into);
    }
  }

  async #saveStream(source: StreamSource, { name }: Identity, into: TreeSink): Promise<void> {
    const { saver, tally, progress } = this.#context;
    const { content, size } = await saver.saveStream(source.stream);
    const path = byteStringToText(name);
    if (size === 0) {
      throw new HoldfastError('source-empty', `There was nothing to read for ${path}.`, {
        hint: 'Check the command that writes it.',
      });
    }
    tally.addFile('new', size);
    progress.addFile(path);
    this.#savedSources += 1;
    into.push(withContent({ ...streamHead(source, name, unixMode.regular | 0o644), size }, content));
  }

  async #saveSource(path: ByteString, identity: Identity, into: TreeSink): Promise<void> {
    const name = path === '/' ? ('.' as ByteString) : baseName(path);
    using directory = openParent(path);
    const place = { directory: directory.number, name, path: absolutePath(path) };
    await this.#entries.save(place, identity, { push: (entry) => into.push(this.#countSource(entry)) });
  }

  #countSource(entry: TreeEntry): TreeEntry {
    if (!(entry instanceof Promise)) {
      this.#savedSources += 1;
      return entry;
    }
    return entry.then((saved) => {
      if (saved !== undefined) this.#savedSources += 1;
      return saved;
    });
  }

  /** A directory that is in the snapshot only for what is below it. */
  async #saveAbove(above: SourceTree, identity: Identity, into: TreeSink): Promise<void> {
    const status = statusOfPath(above.path);
    if (status === undefined || !isDirectory(status)) {
      throw sourceError(new SystemError('ENOENT', 'statx'), above.path);
    }
    // Above the sources, attributes may be closed to us: restic leaves them out without a word too.
    const extendedAttributes = readAttributesIfAllowed(above.path);
    const head = headOf(status, this.#context.heads, { name: identity.name, extendedAttributes });
    await this.#saveParent(above, head, identity, into);
  }

  async #saveParent(above: SourceTree, head: NodeHead, { parent }: Identity, into: TreeSink): Promise<void> {
    const before = await this.#trees.directoryBefore(head, parent, above.path);
    using parentTree = before.tree;
    const tree = await this.#saveChildren(above, parentTree);
    await this.#trees.finish({ head, tree, before }, into);
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

/** As restic has standard input: root's, by number only, and of no inode. */
function streamHead({ modifiedAt }: StreamSource, name: ByteString, mode: number): NodeHead {
  const status = {
    mode,
    inode: 0n,
    deviceId: 0n,
    device: 0n,
    links: 0,
    uid: 0,
    gid: 0,
    size: 0,
    allocated: 0,
    accessedAt: modifiedAt,
    modifiedAt,
    changedAt: modifiedAt,
    isMountPoint: false,
  };
  return headOf(status, { names: noAccountNames, accessTimes: false }, { name, extendedAttributes: [] });
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
