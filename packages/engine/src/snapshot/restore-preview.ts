import { setImmediate } from 'node:timers/promises';
import { isHoldfastError, systemErrorCode, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import {
  type FileStatus,
  isDirectory,
  isRegularFile,
  statusAt,
  statusOf,
} from '../filesystem/file-status.ts';
import { type Descriptor, openDirectoryAt, openTrustedDirectory } from '../filesystem/open.ts';
import { SystemError } from '../filesystem/system-error.ts';
import { isTemporaryName } from '../filesystem/temporary-name.ts';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import { damaged } from '../format/json.ts';
import type { Node } from '../format/node.ts';
import { hasContent, isLeftAlone, openOldFile } from './file-restorer.ts';
import type { RestoreContext } from './restore-context.ts';
import type { RestoreAction } from './restore-request.ts';
import { baseName, joinPath, parentPath } from './source-tree.ts';
import { assertSafeName, type TargetPlace } from './target-place.ts';

/** Nothing is there: all below is new. */
const nowhere = -1;
const entriesPerTurn = 64;

/**
 * Goes the way of a restore and does what it does, but for writing: tells and counts what would become of each entry,
 * and fails where the restore would.
 */
export class RestorePreview {
  readonly #context: RestoreContext;
  #entries = 0;

  constructor(context: RestoreContext) {
    this.#context = context;
  }

  /** Of a tree's entries in a directory that need not be there. */
  async contents(path: ByteString, treeId: TreeId): Promise<void> {
    using directory = openIfThere(path);
    await this.#tree({ directory: directory?.number ?? nowhere, path }, treeId, true);
  }

  /** Of a node that becomes the path itself. */
  async root(path: ByteString, node: Node): Promise<void> {
    using directory = openIfThere(parentPath(path));
    const name = baseName(path) === '' ? ('.' as ByteString) : baseName(path);
    await this.#entry({ directory: directory?.number ?? nowhere, name, path }, node);
  }

  /** Of a tree in a directory that is entered in any case, or only if anything is selected; true if anything is. */
  async #tree(
    above: { readonly directory: number; readonly path: ByteString },
    treeId: TreeId,
    isEntered: boolean,
  ): Promise<boolean> {
    const nodes = [...(await this.#context.trees.take(treeId))];
    for (const { name } of nodes) assertSafeName(name, above.path);
    let isAnySelected = false;
    for (const node of nodes) {
      const path = joinPath(above.path, node.name);
      const isSelected = await this.#reporting(path, () =>
        this.#entry({ ...above, name: node.name, path }, node),
      );
      isAnySelected ||= isSelected;
    }
    if (above.directory !== nowhere && (isEntered || isAnySelected)) {
      this.#removals(above, new Set(nodes.map(({ name }) => name)));
    }
    return isAnySelected;
  }

  async #entry(place: TargetPlace, node: Node): Promise<boolean> {
    await this.#giveTurn();
    const { isSelected, mayBeBelow } = this.#context.select(place.path);
    if (node.type === 'dir')
      return (isSelected || mayBeBelow) && (await this.#directory(place, node, isSelected));
    if (!isSelected || node.type === 'socket') return false;
    if (node.type === 'irregular') throw new SystemError('ENOTSUP', 'mknodat');
    this.#done(place, node, await this.#file(place, node));
    return true;
  }

  async #directory(place: TargetPlace, node: Node, isSelected: boolean): Promise<boolean> {
    const current = statusIfThere(place);
    const isThere = current !== undefined && isDirectory(current);
    if (current !== undefined && !isThere && isSelected && this.#context.overwrite === 'never') {
      throw new SystemError('EEXIST', 'mkdirat');
    }
    using directory = isThere ? openDirectoryAt(place.directory, place.name) : undefined;
    if (node.subtree === undefined) throw damaged('tree', 'a directory in it has no subtree');
    const below = { directory: directory?.number ?? nowhere, path: place.path };
    const isAnySelected = await this.#tree(below, node.subtree, isSelected);
    if (isSelected || isAnySelected) this.#context.counts.dirs += 1;
    return isSelected || isAnySelected;
  }

  async #file(place: TargetPlace, node: Node): Promise<RestoreAction> {
    const current = statusIfThere(place);
    const { counts, overwrite } = this.#context;
    if (current === undefined) return 'restored';
    if (isDirectory(current)) {
      this.#replacedDirectory(place);
      return 'restored';
    }
    if (isLeftAlone(overwrite, node, current)) {
      counts.skipped += 1;
      return 'unchanged';
    }
    if (node.type !== 'file' || !(await this.#isSameFile(place, node, current))) return 'updated';
    counts.unchanged += 1;
    return 'unchanged';
  }

  async #isSameFile(place: TargetPlace, node: Node, current: FileStatus): Promise<boolean> {
    using file = openOldFile(place, current);
    if (file === undefined) return false;
    const status = statusOf(file.number);
    return (
      isRegularFile(status) &&
      status.links === 1 &&
      (await hasContent(this.#context, { file: file.number, status }, node))
    );
  }

  #replacedDirectory(place: TargetPlace): void {
    const { deleteExtraneous, overwrite } = this.#context;
    if (overwrite === 'never') throw new SystemError('EISDIR', 'renameat');
    if (deleteExtraneous) {
      if (!this.#removal(place)) throw new SystemError('EBUSY', 'unlinkat');
      return;
    }
    using directory = openDirectoryAt(place.directory, place.name);
    if (entryNames(directory.number).length > 0) throw new SystemError('ENOTEMPTY', 'unlinkat');
  }

  #removals(
    above: { readonly directory: number; readonly path: ByteString },
    wanted: ReadonlySet<ByteString>,
  ): void {
    if (!this.#context.deleteExtraneous) return;
    for (const name of entryNames(above.directory)) {
      const place = { directory: above.directory, name, path: joinPath(above.path, name) };
      const isRemoved =
        !wanted.has(name) && !isTemporaryName(name) && this.#context.select(place.path).isSelected;
      if (isRemoved) this.#removal(place);
    }
  }

  /** False if some of it would stay. */
  #removal(place: TargetPlace): boolean {
    const { counts, entries } = this.#context;
    const { removed, isGone } = this.#removable(place);
    counts.deleted += removed;
    if (removed > 0) entries.report({ action: 'deleted', path: byteStringToText(place.path), bytes: 0 });
    return isGone;
  }

  /** How many entries would go, it and all that is selected below it; and whether itself would. */
  #removable(place: TargetPlace): { readonly removed: number; readonly isGone: boolean } {
    const status = statusIfThere(place);
    if (status === undefined) return { removed: 0, isGone: true };
    if (status.isMountPoint || !this.#context.select(place.path).isSelected)
      return { removed: 0, isGone: false };
    if (!isDirectory(status)) return { removed: 1, isGone: true };
    using directory = openDirectoryAt(place.directory, place.name);
    let removed = 0;
    let isEmpty = true;
    for (const name of entryNames(directory.number)) {
      const below = this.#removable({ directory: directory.number, name, path: joinPath(place.path, name) });
      removed += below.removed;
      isEmpty &&= below.isGone;
    }
    return isEmpty ? { removed: removed + 1, isGone: true } : { removed, isGone: false };
  }

  async #reporting(path: ByteString, look: () => Promise<boolean>): Promise<boolean> {
    try {
      return await look();
    } catch (error) {
      const concernsOneEntry =
        systemErrorCode(error) !== undefined ||
        isHoldfastError(error, 'blob-missing', 'blob-damaged', 'repository-damaged');
      if (!concernsOneEntry) throw error;
      this.#context.failures.addFailure(path, 'it could not be restored', error);
      return true;
    }
  }

  #done(place: TargetPlace, node: Node, action: RestoreAction): void {
    const path = byteStringToText(place.path);
    const { counts, entries, progress } = this.#context;
    if (action === 'unchanged') counts.skippedBytes += node.size;
    entries.report({ action, path, bytes: node.size });
    if (node.size > 0) progress.addBytes(node.size);
    progress.addFile(path);
  }

  async #giveTurn(): Promise<void> {
    throwIfAborted(this.#context.tasks.signal);
    this.#entries += 1;
    if (this.#entries % entriesPerTurn === 0) await setImmediate();
  }
}

function statusIfThere(place: TargetPlace): FileStatus | undefined {
  return place.directory === nowhere ? undefined : statusAt(place.directory, place.name);
}

function openIfThere(path: ByteString): Descriptor | undefined {
  try {
    return openTrustedDirectory(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
