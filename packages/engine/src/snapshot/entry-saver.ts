import { setImmediate } from 'node:timers/promises';
import { systemErrorCode, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { readLinkAt } from '../filesystem/entries.ts';
import { readAttributes, readAttributesAt } from '../filesystem/extended-attributes.ts';
import { type FileStatus, isRegularFile, statusAt, statusOf } from '../filesystem/file-status.ts';
import { type Descriptor, openDirectoryAt, openFileAt } from '../filesystem/open.ts';
import { readToEnd } from '../filesystem/read-to-end.ts';
import { copyLastPrint } from '../filesystem/status-print.ts';
import { syncFileSystem } from '../filesystem/sync.ts';
import { SystemError } from '../filesystem/system-error.ts';
import { type ByteString, byteStringToText, emptyByteString } from '../format/byte-string.ts';
import type { IsKnown } from '../format/encoded-node.ts';
import { isBefore, sameTime } from '../format/file-time.ts';
import { nodeTypeOf } from '../format/go-file-mode.ts';
import type { BlobId } from '../format/ids.ts';
import type { ExtendedAttribute, Node } from '../format/node.ts';
import type { NodeHead } from '../format/node-encoder.ts';
import type { Aside, AsideContent } from './aside.ts';
import type { BackupContext } from './backup-context.ts';
import { DirectoryRecordDraft } from './directory-record.ts';
import { FileSaver } from './file-saver.ts';
import { PendingTree } from './pending-tree.ts';
import type { SavedContent } from './saved-content.ts';
import { headOf, withContent } from './source-node.ts';
import { joinPath } from './source-tree.ts';
import { StandingTrees } from './standing-trees.ts';
import type { DirectoryBefore, FinishedTree, Identity, TreeSaver, TreeSink } from './tree-saver.ts';

const changedMeanwhile = 'it changed while it was read; what was read may be from two moments';
/** After so many entries other work of the process gets its turn: signals, timers, finished blobs. */
const entriesPerTurn = 256;

/** An entry of an open directory. */
export interface Place {
  readonly directory: number;
  readonly name: ByteString;
  /** Absolute, for patterns and messages. */
  readonly path: ByteString;
}

/** Walks a directory in the order of names, starting the saving of files as it meets them. */
export class EntrySaver {
  readonly #context: BackupContext;
  readonly #trees: TreeSaver;
  readonly #hasChunk: IsKnown;
  readonly #standing: StandingTrees | undefined;
  #entries = 0;

  constructor(context: BackupContext, trees: TreeSaver) {
    this.#context = context;
    this.#trees = trees;
    this.#standing = context.records && new StandingTrees(context.records, context);
    this.#hasChunk = (chunkId) => context.blobs.hasBlobBytes('data', chunkId);
  }

  /**
   * Gives nothing for what is left out: excluded, a socket, vanished, or not readable (with a warning). Where it
   * returns a promise, the next entry has to wait for it.
   */
  save(place: Place, identity: Identity, into: TreeSink): Promise<void> | undefined {
    this.#entries += 1;
    if (this.#entries % entriesPerTurn === 0) return this.#saveAfterTurn(place, identity, into);
    return this.#saveNow(place, identity, into);
  }

  async #saveAfterTurn(place: Place, identity: Identity, into: TreeSink): Promise<void> {
    await setImmediate();
    throwIfAborted(this.#context.tasks.signal);
    await this.#saveNow(place, identity, into);
  }

  #saveNow(place: Place, identity: Identity, into: TreeSink): Promise<void> | undefined {
    const { exclusion } = this.#context;
    if (exclusion.isExcluded(place.path)) return undefined;
    try {
      const status = statusAt(place.directory, place.name);
      if (status === undefined) throw new SystemError('ENOENT', 'statx');
      identity.draft?.add(copyLastPrint, status);
      if (exclusion.isTooLarge(status)) return undefined;
      const saving = this.#saveByType(place, identity, status, into);
      return saving?.catch((error: unknown) => this.#warnOrThrow(place, error));
    } catch (error) {
      this.#warnOrThrow(place, error);
      return undefined;
    }
  }

  #attributesOfOpen(descriptor: number, path: ByteString): ExtendedAttribute[] {
    try {
      return readAttributes(descriptor);
    } catch (error) {
      return this.#noAttributes(path, error);
    }
  }

  #attributesAt({ directory, name, path }: Place): ExtendedAttribute[] {
    try {
      return readAttributesAt(directory, name);
    } catch (error) {
      return this.#noAttributes(path, error);
    }
  }

  /** What cannot be read is left out with a warning, as restic does. */
  #noAttributes(path: ByteString, error: unknown): ExtendedAttribute[] {
    this.#context.warnings.addFailure(path, 'its extended attributes could not be read', error);
    return [];
  }

  #saveByType(
    place: Place,
    identity: Identity,
    status: FileStatus,
    into: TreeSink,
  ): Promise<void> | undefined {
    const type = nodeTypeOf(status.mode);
    if (type === 'dir') return this.#saveDirectory(place, identity, status.deviceId, into);
    if (type === 'socket' || this.#isForeign(status)) return undefined;
    if (type === 'file') return this.#saveFile(place, identity, status, into);
    const linkTarget = type === 'symlink' ? readLinkAt(place.directory, place.name) : emptyByteString;
    const head = this.#headOf(place, identity, status, linkTarget);
    into.push(identity.parent.keepOther(this.#trees.encode(head)) ?? withContent(head, null));
    return undefined;
  }

  async #saveDirectory(
    place: Place,
    { name, parent, draft: draftAbove }: Identity,
    seenDeviceId: bigint,
    into: TreeSink,
  ): Promise<void> {
    const { encoder, exclusion, heads, tasks } = this.#context;
    throwIfAborted(tasks.signal);
    const position = draftAbove?.lastPosition ?? 0;
    using directory = openDirectoryAt(place.directory, place.name);
    await this.#syncOnce(directory, seenDeviceId);
    const status = statusOf(directory.number);
    const extendedAttributes = this.#attributesOfOpen(directory.number, place.path);
    const head = headOf(status, heads, { name, extendedAttributes });
    const before = await this.#trees.directoryBefore(head, parent, place.path);
    using parentTree = before.tree;
    if (await this.#keepStanding(directory.number, before, into)) {
      if (parentTree.treeId !== undefined) draftAbove?.addChild(position, parentTree.treeId);
      return;
    }
    const found = this.#isForeign(status) ? [] : entryNames(directory.number);
    const entries = exclusion.keptNames(directory.number, found);
    const draft = this.#draft(status, directory.number, entries);
    const warningsBefore = this.#context.warnings.count;
    const tree = new PendingTree(encoder);
    for (const entry of entries) {
      const inside = { directory: directory.number, name: entry, path: joinPath(place.path, entry) };
      const saving = this.save(inside, { name: entry, parent: parentTree, draft }, tree);
      if (saving !== undefined) await saving;
    }
    const finished = await this.#trees.finish({ head, tree, before }, into);
    draftAbove?.addChild(position, finished.treeId);
    if (draft !== undefined) void tasks.start(this.#record(draft, finished, warningsBefore));
  }

  /** True if the directory stands as the pass before saw it: then that is all there is to do. */
  async #keepStanding(directory: number, before: DirectoryBefore, into: TreeSink): Promise<boolean> {
    const { encoded, tree } = before;
    if (this.#standing === undefined || encoded === undefined || tree.treeId === undefined) return false;
    const standing = await this.#standing.take(directory, tree.treeId);
    if (standing === undefined) return false;
    this.#context.tally.addStanding(standing);
    this.#context.progress.passFiles(standing);
    into.push(encoded);
    return true;
  }

  /** Only where a change of any file shows in its status, and the whole directory is on one file system. */
  #draft(
    status: FileStatus,
    directory: number,
    names: readonly ByteString[],
  ): DirectoryRecordDraft | undefined {
    const { fileSystems, records } = this.#context;
    if (records === undefined) return undefined;
    const { isComputed, isMemory } = fileSystems.traits(status, directory);
    return isComputed || isMemory ? undefined : new DirectoryRecordDraft(names, status.deviceId);
  }

  /** Nothing that was warned of counts as seen: it is to be told of again. */
  async #record(
    draft: DirectoryRecordDraft,
    { treeId }: FinishedTree,
    warningsBefore: number,
  ): Promise<void> {
    const { records, warnings } = this.#context;
    const id = await treeId;
    const record = await draft.finish();
    if (record !== undefined && warnings.count === warningsBefore) records?.addRecord(id, record);
  }

  #saveFile(place: Place, identity: Identity, status: FileStatus, into: TreeSink): Promise<void> | undefined {
    const { fileSystems, progress, tally } = this.#context;
    const { isComputed, isMemory } = fileSystems.traits(status, place.directory, place.name);
    const mayBeKnown = status.size === 0 || this.#isTrusted(status, isMemory);
    if (!mayBeKnown || isComputed) return this.#saveChanged(place, identity, status, into);
    const head = this.#headOf(place, identity, status);
    const kept = identity.parent.keepFile(this.#trees.encode(head), this.#hasChunk);
    if (kept !== undefined) {
      tally.addFile('unmodified', status.size);
      progress.passFile(status.size);
      into.push(kept);
      return undefined;
    }
    const previous = identity.parent.find(identity.name);
    const content = status.size === 0 ? [] : this.#unchangedContent(status, previous);
    if (content === undefined) return this.#saveChanged(place, identity, status, into);
    progress.addBytes(status.size);
    into.push(this.#counted(withContent(head, content), previous, place.path));
    return undefined;
  }

  #saveChanged(place: Place, identity: Identity, status: FileStatus, into: TreeSink): Promise<void> {
    const { aside } = this.#context;
    return aside === undefined
      ? this.#readFile(place, identity, status, into)
      : this.#setFileAside(place, identity, aside, into);
  }

  async #readFile(
    place: Place,
    { name, parent }: Identity,
    status: FileStatus,
    into: TreeSink,
  ): Promise<void> {
    const { memory, tasks } = this.#context;
    const previous = parent.find(name);
    const weight = FileSaver.memoryBytes(status);
    await memory.acquire(weight, { signal: tasks.signal });
    let file: Descriptor;
    try {
      file = openFileAt(place.directory, place.name);
    } catch (error) {
      memory.release(weight);
      throw error;
    }
    const saving = this.#saveOpenFile(file, place, name, previous).finally(() => memory.release(weight));
    into.push(tasks.start(saving));
  }

  #headOf(
    place: Place,
    { name }: Identity,
    status: FileStatus,
    linkTarget: ByteString = emptyByteString,
  ): NodeHead {
    const extendedAttributes = this.#attributesAt(place);
    return headOf(status, this.#context.heads, { name, extendedAttributes, linkTarget });
  }

  async #saveOpenFile(
    file: Descriptor,
    place: Place,
    name: ByteString,
    previous: Node | undefined,
  ): Promise<Node | undefined> {
    try {
      using _ = file;
      const { head, content, size } = await this.#readSteadily(file, place, name);
      return this.#counted(withContent({ ...head, size }, content), previous, place.path);
    } catch (error) {
      this.#warnOrThrow(place, error);
      return undefined;
    }
  }

  /** Reads a file that changes meanwhile again, as often as is asked for. */
  async #readSteadily(
    file: Descriptor,
    place: Place,
    name: ByteString,
  ): Promise<SavedContent & { readonly head: NodeHead }> {
    const { fileSystems, heads, rereads, saver, tasks, tally, warnings } = this.#context;
    for (let attempt = 0; ; attempt += 1) {
      const status = statusOfRegular(file);
      const extendedAttributes = this.#attributesOfOpen(file.number, place.path);
      const { isComputed } = fileSystems.traits(status, file.number);
      const saved = isComputed
        ? await saver.saveStream(readToEnd(file.number, tasks))
        : await saver.saveFile(file.number, status);
      const isSteady = isComputed || isSameContent(saved.size, status, statusOf(file.number));
      if (!isSteady && attempt < rereads) continue;
      if (!isSteady) {
        warnings.add(place.path, changedMeanwhile);
        tally.addUnsteadyFile();
      }
      return { ...saved, head: headOf(status, heads, { name, extendedAttributes }) };
    }
  }

  /** Copies a file while nothing changes; it is saved when the sources may go on. */
  async #setFileAside(place: Place, { name, parent }: Identity, aside: Aside, into: TreeSink): Promise<void> {
    const { tasks } = this.#context;
    const previous = parent.find(name);
    await aside.acquire();
    into.push(tasks.start(this.#saveFromAside(place, name, previous, aside)));
  }

  async #saveFromAside(
    place: Place,
    name: ByteString,
    previous: Node | undefined,
    aside: Aside,
  ): Promise<Node | undefined> {
    const { memory, saver, tasks } = this.#context;
    try {
      const { head, content } = await this.#copyAside(place, { name, previous }, aside).finally(() =>
        aside.release(),
      );
      await aside.over;
      await memory.acquire(content.weight, tasks);
      try {
        const { content: ids, size } = await content.save(saver);
        return this.#counted(withContent({ ...head, size }, ids), previous, place.path);
      } finally {
        memory.release(content.weight);
      }
    } catch (error) {
      this.#warnOrThrow(place, error);
      return undefined;
    }
  }

  async #copyAside(
    place: Place,
    { name, previous }: { readonly name: ByteString; readonly previous: Node | undefined },
    aside: Aside,
  ): Promise<{ readonly head: NodeHead; readonly content: AsideContent }> {
    using file = openFileAt(place.directory, place.name);
    const status = statusOfRegular(file);
    const extendedAttributes = this.#attributesOfOpen(file.number, place.path);
    const { isComputed } = this.#context.fileSystems.traits(status, file.number);
    if (isComputed) throw new SystemError('EOPNOTSUPP', 'copy');
    const content = await aside.copy(file, status, previous);
    // Something that was not paused writes here too.
    if (!isSameContent(status.size, status, statusOf(file.number))) {
      this.#context.warnings.add(place.path, changedMeanwhile);
      this.#context.tally.addUnsteadyFile();
    }
    return { head: headOf(status, this.#context.heads, { name, extendedAttributes }), content };
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
    const { blobs, ignoreChangeTime, ignoreInode } = this.#context;
    if (previous?.type !== 'file') return undefined;
    const isUnchanged =
      previous.size === status.size &&
      (ignoreInode || previous.inode === status.inode) &&
      sameTime(previous.modifiedAt, status.modifiedAt) &&
      (ignoreChangeTime || sameTime(previous.changedAt, status.changedAt));
    if (!isUnchanged || !previous.content?.every((id) => blobs.hasBlob('data', id))) return undefined;
    return previous.content;
  }

  /** True if a change since the parent backup would show in its times. */
  #isTrusted(status: FileStatus, isInMemory: boolean): boolean {
    const { ignoreChangeTime, mappedWrites, trustedBefore } = this.#context;
    if (trustedBefore === undefined) return false;
    if (mappedWrites !== undefined && (isInMemory || mappedWrites.inodes.has(status.inode))) return false;
    return isBefore(ignoreChangeTime ? status.modifiedAt : status.changedAt, trustedBefore);
  }

  #isForeign(status: FileStatus): boolean {
    return this.#context.devices?.has(status.deviceId) === false;
  }

  /** Writes what waits for the file system of an open directory to storage, once. */
  async #syncOnce(opened: Descriptor, deviceId: bigint): Promise<void> {
    const { mappedWrites, syncedDevices } = this.#context;
    if (mappedWrites?.sync !== true || syncedDevices.has(deviceId)) return;
    syncedDevices.add(deviceId);
    await syncFileSystem(opened.number);
  }

  /** Failures of the source are warnings; failures of the repository, and an abort, end the backup. */
  #warnOrThrow(place: Place, error: unknown): void {
    if (systemErrorCode(error) === undefined) throw error;
    this.#context.warnings.addFailure(place.path, 'it was left out', error);
  }
}

function statusOfRegular(file: Descriptor): FileStatus {
  const status = statusOf(file.number);
  if (!isRegularFile(status)) throw new SystemError('ENOENT', 'openat');
  return status;
}

/** Whether what was read is what the file had at one moment, by its statuses before and after. */
function isSameContent(sizeRead: number, before: FileStatus, after: FileStatus): boolean {
  return sizeRead === after.size && sameTime(before.modifiedAt, after.modifiedAt);
}

function sameContent(a: Node['content'] | undefined, b: Node['content']): boolean {
  if (!a || !b || a.length !== b.length) return false;
  return a.every((id, index) => id === b[index]);
}
