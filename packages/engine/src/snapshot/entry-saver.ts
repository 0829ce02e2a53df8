import { setImmediate } from 'node:timers/promises';
import { systemErrorCode, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { readLinkAt } from '../filesystem/entries.ts';
import { type AttributeHolder, readAttributes } from '../filesystem/extended-attributes.ts';
import { type FileStatus, isRegularFile, statusAt, statusOf } from '../filesystem/file-status.ts';
import { procPath } from '../filesystem/metadata.ts';
import { type Descriptor, openDirectoryAt, openFileAt } from '../filesystem/open.ts';
import { syncFileSystem } from '../filesystem/sync.ts';
import { SystemError } from '../filesystem/system-error.ts';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';
import { isBefore, sameTime } from '../format/file-time.ts';
import { nodeTypeOf } from '../format/go-file-mode.ts';
import type { BlobId, TreeId } from '../format/ids.ts';
import type { ExtendedAttribute, Node } from '../format/node.ts';
import type { BackupContext } from './backup-context.ts';
import { FileSaver } from './file-saver.ts';
import { ParentTree } from './parent-tree.ts';
import { PendingTree } from './pending-tree.ts';
import { nodeOf } from './source-node.ts';
import { joinPath } from './source-tree.ts';

/** After so many entries other work of the process gets its turn: signals, timers, finished blobs. */
const entriesPerTurn = 256;

/** An entry of an open directory. */
export interface Place {
  readonly directory: number;
  readonly name: ByteString;
  /** Absolute, for patterns and messages. */
  readonly path: ByteString;
}

/** A saved entry: its node, or the promise of it. A promise of `undefined` is an entry that a warning tells of. */
export interface SavedEntry {
  readonly node: Node | Promise<Node | undefined>;
}

/** How an entry of the source is called in the snapshot, and what the parent backup has by that name. */
export interface Identity {
  readonly name: ByteString;
  readonly previous: Node | undefined;
}

/** Walks a directory in the order of names, starting the saving of files as it meets them. */
export class EntrySaver {
  readonly #context: BackupContext;
  #entries = 0;

  constructor(context: BackupContext) {
    this.#context = context;
  }

  /** undefined for what is left out: excluded, a socket, vanished, or not readable (with a warning). */
  async save(place: Place, identity: Identity): Promise<SavedEntry | undefined> {
    await this.#giveTurn();
    if (this.#context.isExcluded(place.path)) return undefined;
    try {
      const status = statusAt(place.directory, place.name);
      if (status === undefined) throw new SystemError('ENOENT', 'statx');
      return await this.#saveByType(place, identity, status);
    } catch (error) {
      this.#warnOrThrow(place, error);
      return undefined;
    }
  }

  /** Saves a tree as soon as all of its nodes are there; then the directory's node has its subtree. */
  async finishDirectory(node: Node, tree: PendingTree, previous: Node | undefined): Promise<SavedEntry> {
    const { openTrees, tasks } = this.#context;
    await openTrees.acquire(1, { signal: tasks.signal });
    const saved = tasks.start(this.#saveTree(node, tree, previous).finally(() => openTrees.release(1)));
    return { node: saved };
  }

  /** A directory of the parent backup; an empty one where there was none, or (with a warning) none can be read. */
  async parentTree(treeId: TreeId | undefined, path: ByteString): Promise<ParentTree> {
    const { parentTrees, tasks, warnings } = this.#context;
    const warn = (error: unknown): void =>
      warnings.addFailure(
        path,
        'the backup before this one could not be read here; all of it is read again',
        error,
      );
    const nothing = [][Symbol.iterator]();
    if (treeId === undefined) return new ParentTree(nothing, parentTrees, warn);
    try {
      return new ParentTree(await parentTrees.take(treeId), parentTrees, warn);
    } catch (error) {
      throwIfAborted(tasks.signal);
      warn(error);
      return new ParentTree(nothing, parentTrees, warn);
    }
  }

  /** What cannot be read is left out with a warning, as restic does. */
  attributesOf(holder: AttributeHolder, path: ByteString): ExtendedAttribute[] {
    try {
      return readAttributes(holder);
    } catch (error) {
      this.#context.warnings.addFailure(path, 'its extended attributes could not be read', error);
      return [];
    }
  }

  async #saveByType(place: Place, identity: Identity, status: FileStatus): Promise<SavedEntry | undefined> {
    const type = nodeTypeOf(status.mode);
    if (type === 'dir') return await this.#saveDirectory(place, identity, status);
    if (type === 'socket' || this.#isForeign(status)) return undefined;
    if (type === 'file') return await this.#saveFile(place, identity, status);
    const linkTarget = type === 'symlink' ? readLinkAt(place.directory, place.name) : undefined;
    const extendedAttributes = this.#attributesAt(place);
    return {
      node: nodeOf(status, this.#context.names, {
        name: identity.name,
        extendedAttributes,
        ...(linkTarget === undefined ? {} : { linkTarget }),
      }),
    };
  }

  async #saveDirectory(place: Place, identity: Identity, seen: FileStatus): Promise<SavedEntry> {
    using directory = openDirectoryAt(place.directory, place.name);
    await this.#syncOnce(directory, seen.deviceId);
    const status = statusOf(directory.number);
    const entries = this.#isForeign(status) ? [] : entryNames(directory.number);
    const parentTree = await this.parentTree(identity.previous?.subtree, place.path);
    const tree = new PendingTree(this.#context.zone);
    for (const name of entries) {
      const entry = { directory: directory.number, name, path: joinPath(place.path, name) };
      const saved = await this.save(entry, { name, previous: parentTree.find(name) });
      if (saved !== undefined) tree.push(saved.node);
    }
    const extendedAttributes = this.attributesOf(directory.number, place.path);
    const node = nodeOf(status, this.#context.names, { name: identity.name, extendedAttributes });
    return await this.finishDirectory(node, tree, identity.previous);
  }

  async #saveTree(node: Node, tree: PendingTree, previous: Node | undefined): Promise<Node> {
    const subtree = await this.#context.saver.saveBlob('tree', await tree.finish());
    if (previous?.type !== 'dir') this.#context.tally.addDir('new');
    else this.#context.tally.addDir(previous.subtree === subtree ? 'unmodified' : 'changed');
    return { ...node, subtree };
  }

  async #saveFile(place: Place, identity: Identity, status: FileStatus): Promise<SavedEntry> {
    const { memory, tasks } = this.#context;
    const known = status.size === 0 ? [] : this.#unchangedContent(status, identity.previous);
    if (known !== undefined) return { node: this.#knownFile(place, identity, status, known) };
    const weight = FileSaver.memoryBytes(status);
    await memory.acquire(weight, { signal: tasks.signal });
    let file: Descriptor;
    try {
      file = openFileAt(place.directory, place.name);
    } catch (error) {
      memory.release(weight);
      throw error;
    }
    const saving = this.#saveOpenFile(file, place, identity).finally(() => memory.release(weight));
    return { node: tasks.start(saving) };
  }

  /** A file whose content needs no reading: nothing of it changed, or there is none. */
  #knownFile(place: Place, identity: Identity, status: FileStatus, content: readonly BlobId[]): Node {
    const extendedAttributes = this.#attributesAt(place);
    const node = nodeOf(status, this.#context.names, { name: identity.name, extendedAttributes });
    if (status.size > 0) this.#context.progress.addBytes(status.size);
    return this.#counted({ ...node, content }, identity.previous, place.path);
  }

  async #saveOpenFile(file: Descriptor, place: Place, identity: Identity): Promise<Node | undefined> {
    const { names, saver, warnings } = this.#context;
    try {
      using _ = file;
      const status = statusOf(file.number);
      if (!isRegularFile(status)) throw new SystemError('ENOENT', 'openat');
      const extendedAttributes = this.attributesOf(file.number, place.path);
      const { content, size } = await saver.saveFile(file.number, status);
      const after = statusOf(file.number);
      if (size !== after.size || !sameTime(status.modifiedAt, after.modifiedAt)) {
        warnings.add(place.path, 'it changed while it was read; what was read may be from two moments');
      }
      const node = nodeOf(status, names, { name: identity.name, extendedAttributes });
      return this.#counted({ ...node, content, size }, identity.previous, place.path);
    } catch (error) {
      this.#warnOrThrow(place, error);
      return undefined;
    }
  }

  #counted(node: Node, previous: Node | undefined, path: ByteString): Node {
    const { progress, tally } = this.#context;
    const isSame = sameContent(previous?.content, node.content);
    tally.addFile(previous?.type !== 'file' ? 'new' : isSame ? 'unmodified' : 'changed', node.size);
    progress.addFile(byteStringToText(path));
    return node;
  }

  /** The content that the parent backup has, if the file can be taken for unchanged and all of it is still there. */
  #unchangedContent(status: FileStatus, previous: Node | undefined): readonly BlobId[] | undefined {
    const { blobs, trustedBefore } = this.#context;
    if (previous?.type !== 'file' || trustedBefore === undefined) return undefined;
    const isUnchanged =
      previous.size === status.size &&
      previous.inode === status.inode &&
      sameTime(previous.modifiedAt, status.modifiedAt) &&
      sameTime(previous.changedAt, status.changedAt) &&
      isBefore(status.changedAt, trustedBefore);
    if (!isUnchanged || !previous.content?.every((id) => blobs.hasBlob('data', id))) return undefined;
    return previous.content;
  }

  #attributesAt({ directory, name, path }: Place): ExtendedAttribute[] {
    return this.attributesOf(procPath(directory, name), path);
  }

  #isForeign(status: FileStatus): boolean {
    return this.#context.devices?.has(status.deviceId) === false;
  }

  async #syncOnce(directory: Descriptor, deviceId: bigint): Promise<void> {
    const { syncedDevices } = this.#context;
    if (syncedDevices === undefined || syncedDevices.has(deviceId)) return;
    syncedDevices.add(deviceId);
    await syncFileSystem(directory.number);
  }

  async #giveTurn(): Promise<void> {
    throwIfAborted(this.#context.tasks.signal);
    this.#entries += 1;
    if (this.#entries % entriesPerTurn === 0) await setImmediate();
  }

  /** Failures of the source are warnings; failures of the repository, and an abort, end the backup. */
  #warnOrThrow(place: Place, error: unknown): void {
    if (systemErrorCode(error) === undefined) throw error;
    this.#context.warnings.addFailure(place.path, 'it was left out', error);
  }
}

function sameContent(a: Node['content'] | undefined, b: Node['content']): boolean {
  if (!a || !b || a.length !== b.length) return false;
  return a.every((id, index) => id === b[index]);
}
