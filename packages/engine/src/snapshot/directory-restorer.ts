import { setImmediate } from 'node:timers/promises';
import { isHoldfastError, systemErrorCode, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { makeDirectoryAt, removeDirectoryAt, unlinkAt } from '../filesystem/entries.ts';
import { type FileStatus, isDirectory, statusAt, statusOf } from '../filesystem/file-status.ts';
import { openFileTarget, restoreMetadata } from '../filesystem/inode-metadata.ts';
import { openDirectoryAt } from '../filesystem/open.ts';
import { SystemError, targetError } from '../filesystem/system-error.ts';
import { isTemporaryName } from '../filesystem/temporary-name.ts';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { damaged } from '../format/json.ts';
import type { Node } from '../format/node.ts';
import { FileRestorer } from './file-restorer.ts';
import { LazyDirectory, type OpenTarget } from './lazy-directory.ts';
import { isOtherFileSystem, removeEntry } from './remove-entry.ts';
import type { RestoreContext, RestorePlace } from './restore-context.ts';
import { settleAll } from './settle-all.ts';
import { joinPath } from './source-tree.ts';
import { assertSafeName, type TargetPlace } from './target-place.ts';

const entriesPerTurn = 64;
/** For how many nodes ahead of the walk trees are read. */
const nodesAhead = 64;

/** Work on an entry that goes on beside; the promise stands in an object so that it is not awaited by accident. */
export interface Restoring {
  readonly done: Promise<void>;
}

const nothing: Restoring = { done: Promise.resolve() };

/** The file system on which entries may be removed, if any. */
type RemovableDevice = bigint | 'its own' | undefined;

/** An entry's place before its directory is open. */
type PlannedPlace = Omit<RestorePlace, 'directory'>;

/** Restores directories and hands everything else to the `FileRestorer`, many files at a time. */
export class DirectoryRestorer {
  readonly #context: RestoreContext;
  readonly #files: FileRestorer;
  #entries = 0;

  constructor(context: RestoreContext) {
    this.#context = context;
    this.#files = new FileRestorer(context);
  }

  /**
   * Restores what the whole restore is about: in contrast to an entry below it, it may be a mount point itself.
   * @throws SystemError; HoldfastError
   */
  async restoreRoot(place: RestorePlace, node: Node): Promise<Restoring> {
    const current = statusAt(place.directory, place.name);
    if (node.type !== 'dir') return await this.#restoreFile(place, node, current, 'its own');
    const directory = new LazyDirectory(place, async () => this.#openDirectory(place, current, 'its own'));
    await directory.open();
    return await this.#restoreDirectory(directory, node);
  }

  /**
   * Restores what is selected of a tree's nodes into a directory. The promise inside is done when all its own entries
   * are there, not also what is in its subdirectories.
   */
  async restoreContents(target: LazyDirectory, treeId: TreeId): Promise<Restoring> {
    const nodes = [...(await this.#context.trees.take(treeId))];
    for (const { name } of nodes) assertSafeName(name, target.path);
    await target.whenOpen(async (opened) => {
      if (!opened.isNew) await this.#clear(opened, new Set(nodes.map(({ name }) => name)));
    });
    const entries: Promise<void>[] = [];
    for (const [index, node] of nodes.entries()) {
      if (index % nodesAhead === 0) this.#readAhead(target, nodes.slice(index, index + nodesAhead));
      entries.push((await this.#restoreChild(target, node)).done);
    }
    return { done: settleAll(entries) };
  }

  #readAhead(target: LazyDirectory, nodes: readonly Node[]): void {
    for (const { name, subtree } of nodes) {
      if (subtree === undefined) continue;
      if (this.#context.select(joinPath(target.path, name)).mayBeBelow) this.#context.trees.want(subtree);
    }
  }

  /** One entry's failure is reported and does not keep the others from being restored. */
  async #restoreChild(target: LazyDirectory, node: Node): Promise<Restoring> {
    const place = {
      name: node.name,
      path: joinPath(target.path, node.name),
      components: [...target.components, node.name],
    };
    try {
      const { done } = await this.#restoreEntry(target, place, node);
      return { done: this.#context.tasks.start(this.#reporting(place, done)) };
    } catch (error) {
      if (node.subtree !== undefined) this.#context.trees.drop(node.subtree);
      this.#reportOrThrow(place, error);
      return nothing;
    }
  }

  async #restoreEntry(above: LazyDirectory, planned: PlannedPlace, node: Node): Promise<Restoring> {
    await this.#giveTurn();
    const { isSelected, mayBeBelow } = this.#context.select(planned.path);
    if (node.type === 'dir') {
      const directory = new LazyDirectory(planned, async () => {
        const opened = await above.open();
        const place = { ...planned, directory: opened.directory };
        return this.#openDirectory(place, currentAt(opened, planned.name), opened.removableDevice);
      });
      if (isSelected) await directory.open();
      return isSelected || mayBeBelow ? await this.#restoreDirectory(directory, node) : nothing;
    }
    if (!isSelected || node.type === 'socket') return nothing;
    const opened = await above.open();
    const place = { ...planned, directory: opened.directory };
    return await this.#restoreFile(place, node, currentAt(opened, planned.name), opened.removableDevice);
  }

  async #restoreFile(
    place: RestorePlace,
    node: Node,
    current: FileStatus | undefined,
    device: RemovableDevice,
  ): Promise<Restoring> {
    if (node.type === 'socket') return nothing;
    if (node.type === 'irregular') throw new SystemError('ENOTSUP', 'mknodat');
    const isReplacingDirectory = current !== undefined && isDirectory(current);
    if (isReplacingDirectory) await this.#removeDirectory(place, device);
    const { files, newFiles, tasks } = this.#context;
    if (current === undefined && this.#files.isMadeWhole(node)) {
      await newFiles.acquire(1, { signal: tasks.signal });
      return { done: this.#files.makeWhole(place, node).finally(() => newFiles.release(1)) };
    }
    await files.acquire(1, { signal: tasks.signal });
    const restoring = this.#files.restore(place, node, isReplacingDirectory ? undefined : current);
    return { done: restoring.finally(() => files.release(1)) };
  }

  #openDirectory(place: RestorePlace, current: FileStatus | undefined, device: RemovableDevice): OpenTarget {
    if (current !== undefined && !isDirectory(current)) this.#removeForDirectory(place);
    const isNew = makeDirectoryAt(place.directory, place.name);
    const descriptor = openDirectoryAt(place.directory, place.name);
    return {
      directory: descriptor.number,
      path: place.path,
      components: place.components,
      isNew,
      removableDevice: removableWithin(statusOf(descriptor.number), isNew, device),
      descriptor,
    };
  }

  async #restoreDirectory(target: LazyDirectory, node: Node): Promise<Restoring> {
    try {
      const contents = await this.#restoreSubtree(target, node);
      const { opened } = target;
      if (opened === undefined) return nothing;
      this.#context.counts.dirs += 1;
      const { openDirectories, tasks } = this.#context;
      await openDirectories.acquire(1, { signal: tasks.signal });
      const finishing = this.#finishDirectory(opened, node, contents);
      return { done: finishing.finally(() => openDirectories.release(1)) };
    } catch (error) {
      target.opened?.descriptor?.[Symbol.dispose]();
      throw error;
    }
  }

  /** The contents of a directory; when its tree is lost, it is at least made. */
  async #restoreSubtree(target: LazyDirectory, node: Node): Promise<Restoring> {
    try {
      if (node.subtree === undefined) throw damaged('tree', 'a directory in it has no subtree');
      return await this.restoreContents(target, node.subtree);
    } catch (error) {
      this.#reportOrThrow(target, error);
      return nothing;
    }
  }

  /** Times and mode come last: making entries changes the one and may be forbidden by the other. */
  async #finishDirectory(opened: OpenTarget, node: Node, contents: Restoring): Promise<void> {
    using _directory = opened.descriptor;
    await contents.done;
    restoreMetadata(openFileTarget(opened.directory), node, {
      current: statusOf(opened.directory),
      onFailure: (what, error) =>
        this.#context.warnings.addFailure(opened.path, `${what} could not be restored`, error),
    });
    this.#context.progress.addBytes(0);
  }

  /** Removes what the snapshot does not have, if that is wanted, and what a restore that was cut off has left. */
  async #clear(target: OpenTarget, wanted: ReadonlySet<ByteString>): Promise<void> {
    for (const name of entryNames(target.directory)) {
      const place = { directory: target.directory, name, path: joinPath(target.path, name) };
      if (wanted.has(name) || !(this.#isExtraneous(place) || isTemporaryName(name))) continue;
      try {
        await this.#remove(place, target.removableDevice);
      } catch (error) {
        this.#reportOrThrow(place, error);
      }
    }
  }

  #isExtraneous({ path }: TargetPlace): boolean {
    return this.#context.deleteExtraneous && this.#context.select(path).isSelected;
  }

  async #removeDirectory(place: RestorePlace, device: RemovableDevice): Promise<void> {
    const { deleteExtraneous, overwrite } = this.#context;
    if (overwrite === 'never') throw new SystemError('EISDIR', 'renameat');
    if (!deleteExtraneous || typeof device !== 'bigint') removeDirectoryAt(place.directory, place.name);
    else if (!(await this.#remove(place, device))) throw new SystemError('EBUSY', 'unlinkat');
  }

  #removeForDirectory(place: RestorePlace): void {
    if (this.#context.overwrite === 'never') throw new SystemError('EEXIST', 'mkdirat');
    unlinkAt(place.directory, place.name);
  }

  /** False if some of it stays. */
  async #remove(place: TargetPlace, device: RemovableDevice): Promise<boolean> {
    if (typeof device !== 'bigint') return false;
    const { counts, entries, select, tasks, warnings } = this.#context;
    const isTemporary = isTemporaryName(place.name);
    const { removed, isGone } = await removeEntry(place, {
      signal: tasks.signal,
      deviceId: device,
      isKept: (path) => !isTemporary && !select(path).isSelected,
      onMountPoint: (path) => warnings.add(path, 'it was not removed: another file system is mounted there'),
    });
    if (removed > 0) entries.report({ action: 'deleted', path: byteStringToText(place.path), bytes: 0 });
    counts.deleted += removed;
    return isGone;
  }

  async #reporting(place: PlannedPlace, done: Promise<void>): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.#reportOrThrow(place, error);
    }
  }

  /** What concerns one entry is reported. What would fail for every further entry ends the restore. */
  #reportOrThrow({ path }: { readonly path: ByteString }, error: unknown): void {
    if (fatalSystemCodes.has(systemErrorCode(error) ?? '')) throw targetError(error, path);
    const concernsOneEntry = isHoldfastError(error, 'blob-missing', 'blob-damaged', 'repository-damaged');
    if (!concernsOneEntry && (isHoldfastError(error) || systemErrorCode(error) === undefined)) throw error;
    this.#context.failures.addFailure(path, 'it could not be restored', error);
  }

  async #giveTurn(): Promise<void> {
    throwIfAborted(this.#context.tasks.signal);
    this.#entries += 1;
    if (this.#entries % entriesPerTurn === 0) await setImmediate();
  }
}

/** Nothing needs to be asked of a directory that was just made. */
function currentAt({ directory, isNew }: OpenTarget, name: ByteString): FileStatus | undefined {
  return isNew ? undefined : statusAt(directory, name);
}

const fatalSystemCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/** Nothing is removed on another file system than the target's own: what is mounted inside it is not ours. */
function removableWithin(status: FileStatus, isNew: boolean, device: RemovableDevice): bigint | undefined {
  if (device === 'its own' || isNew) return status.deviceId;
  return device !== undefined && !isOtherFileSystem(status, device) ? device : undefined;
}
