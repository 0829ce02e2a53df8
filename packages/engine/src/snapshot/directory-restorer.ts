import { setImmediate } from 'node:timers/promises';
import { isHoldfastError, systemErrorCode, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { makeDirectoryAt, removeDirectoryAt, unlinkAt } from '../filesystem/entries.ts';
import { type FileStatus, isDirectory, statusAt, statusOf } from '../filesystem/file-status.ts';
import { type Descriptor, openDirectoryAt } from '../filesystem/open.ts';
import { SystemError, targetError } from '../filesystem/system-error.ts';
import type { ByteString } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { damaged } from '../format/json.ts';
import type { Node } from '../format/node.ts';
import { FileRestorer } from './file-restorer.ts';
import { openFileTarget, restoreMetadata } from './node-metadata.ts';
import { isOtherFileSystem, removeEntry } from './remove-entry.ts';
import type { RestoreContext, RestorePlace } from './restore-context.ts';
import { settleAll } from './settle-all.ts';
import { joinPath } from './source-tree.ts';
import { assertSafeName, isTemporaryName, type TargetPlace } from './target-place.ts';
import { nodesAhead } from './tree-read-ahead.ts';

const entriesPerTurn = 64;

/** Work on an entry that goes on beside; the promise stands in an object so that it is not awaited by accident. */
export interface Restoring {
  readonly done: Promise<void>;
}

const nothing: Restoring = { done: Promise.resolve() };

/** The file system on which entries may be removed, if any. */
type RemovableDevice = bigint | 'its own' | undefined;

interface MadeDirectory {
  readonly place: RestorePlace;
  readonly node: Node;
  readonly directory: Descriptor;
}

/** An open directory of the target. */
export interface OpenTarget {
  readonly directory: number;
  readonly path: ByteString;
  readonly components: readonly ByteString[];
  /** True if this restore has just made it: then nothing is in it. */
  readonly isNew: boolean;
  /** Entries may be removed on this file system; undefined where none may be. */
  readonly removableDevice: bigint | undefined;
}

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
    return await this.#restoreEntry(place, node, 'its own');
  }

  /**
   * Restores the nodes of a tree into an open directory. The promise inside is done when all its own entries are
   * there, not also what is in its subdirectories.
   */
  async restoreContents(target: OpenTarget, treeId: TreeId): Promise<Restoring> {
    const { trees } = this.#context;
    const nodes = [...(await trees.take(treeId))];
    for (const { name } of nodes) assertSafeName(name, target.path);
    if (!target.isNew) await this.#clear(target, new Set(nodes.map(({ name }) => name)));
    const entries: Promise<void>[] = [];
    for (const [index, node] of nodes.entries()) {
      if (index % nodesAhead === 0) this.#readAhead(nodes.slice(index, index + nodesAhead));
      entries.push((await this.#restoreChild(target, node)).done);
    }
    return { done: settleAll(entries) };
  }

  #readAhead(nodes: readonly Node[]): void {
    for (const { subtree } of nodes) if (subtree !== undefined) this.#context.trees.want(subtree);
  }

  /** One entry's failure is reported and does not keep the others from being restored. */
  async #restoreChild(target: OpenTarget, node: Node): Promise<Restoring> {
    const place = {
      directory: target.directory,
      name: node.name,
      path: joinPath(target.path, node.name),
      components: [...target.components, node.name],
    };
    try {
      const { done } = await this.#restoreEntry(place, node, target.removableDevice);
      return { done: this.#context.tasks.start(this.#reporting(place, done)) };
    } catch (error) {
      this.#reportOrThrow(place, error);
      return nothing;
    }
  }

  async #restoreEntry(place: RestorePlace, node: Node, device: RemovableDevice): Promise<Restoring> {
    await this.#giveTurn();
    const current = statusAt(place.directory, place.name);
    if (node.type === 'dir') return await this.#restoreDirectory(place, node, { current, device });
    if (node.type === 'socket') return nothing;
    if (node.type === 'irregular') throw new SystemError('ENOTSUP', 'mknodat');
    const isReplacingDirectory = current !== undefined && isDirectory(current);
    if (isReplacingDirectory) await this.#removeDirectory(place, device);
    const { files, tasks } = this.#context;
    await files.acquire(1, { signal: tasks.signal });
    const restoring = this.#files.restore(place, node, isReplacingDirectory ? undefined : current);
    return { done: restoring.finally(() => files.release(1)) };
  }

  async #restoreDirectory(
    place: RestorePlace,
    node: Node,
    { current, device }: { readonly current: FileStatus | undefined; readonly device: RemovableDevice },
  ): Promise<Restoring> {
    if (current !== undefined && !isDirectory(current)) this.#removeForDirectory(place);
    const isNew = makeDirectoryAt(place.directory, place.name);
    const directory = openDirectoryAt(place.directory, place.name);
    try {
      const status = statusOf(directory.number);
      const target = {
        directory: directory.number,
        path: place.path,
        components: place.components,
        isNew,
        removableDevice: removableWithin(status, isNew, device),
      };
      const contents = await this.#restoreSubtree(target, node);
      this.#context.counts.dirs += 1;
      const { openDirectories, tasks } = this.#context;
      await openDirectories.acquire(1, { signal: tasks.signal });
      const finishing = this.#finishDirectory({ place, node, directory }, contents);
      return { done: finishing.finally(() => openDirectories.release(1)) };
    } catch (error) {
      directory[Symbol.dispose]();
      throw error;
    }
  }

  /** The contents of a directory; when its tree is lost, it is at least made. */
  async #restoreSubtree(target: OpenTarget, node: Node): Promise<Restoring> {
    try {
      if (node.subtree === undefined) throw damaged('tree', 'a directory in it has no subtree');
      return await this.restoreContents(target, node.subtree);
    } catch (error) {
      this.#reportOrThrow(target, error);
      return nothing;
    }
  }

  /** Times and mode come last: making entries changes the one and may be forbidden by the other. */
  async #finishDirectory(made: MadeDirectory, contents: Restoring): Promise<void> {
    using directory = made.directory;
    await contents.done;
    restoreMetadata(openFileTarget(directory.number), made.node, {
      current: statusOf(directory.number),
      onFailure: (what, error) =>
        this.#context.warnings.addFailure(made.place.path, `${what} could not be restored`, error),
    });
    this.#context.progress.addBytes(0);
  }

  /** Removes what the snapshot does not have, if that is wanted, and what a restore that was cut off has left. */
  async #clear(target: OpenTarget, wanted: ReadonlySet<ByteString>): Promise<void> {
    const { deleteExtraneous } = this.#context;
    for (const name of entryNames(target.directory)) {
      if (wanted.has(name) || !(deleteExtraneous || isTemporaryName(name))) continue;
      const place = { directory: target.directory, name, path: joinPath(target.path, name) };
      try {
        await this.#remove(place, target.removableDevice);
      } catch (error) {
        this.#reportOrThrow(place, error);
      }
    }
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

  async #remove(place: TargetPlace, device: RemovableDevice): Promise<boolean> {
    if (typeof device !== 'bigint') return false;
    const { removed, isGone } = await removeEntry(place, {
      signal: this.#context.tasks.signal,
      deviceId: device,
      onMountPoint: (path) =>
        this.#context.warnings.add(path, 'it was not removed: another file system is mounted there'),
    });
    this.#context.counts.deleted += removed;
    return isGone;
  }

  async #reporting(place: RestorePlace, done: Promise<void>): Promise<void> {
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

const fatalSystemCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/** Nothing is removed on another file system than the target's own: what is mounted inside it is not ours. */
function removableWithin(status: FileStatus, isNew: boolean, device: RemovableDevice): bigint | undefined {
  if (device === 'its own' || isNew) return status.deviceId;
  return device !== undefined && !isOtherFileSystem(status, device) ? device : undefined;
}
