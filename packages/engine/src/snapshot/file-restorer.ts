import { systemErrorCode } from '@holdfast/base';
import { link, makeSpecialFileAt, makeSymlinkAt, renameAt } from '../filesystem/entries.ts';
import { type FileStatus, isRegularFile, statusAt, statusOf } from '../filesystem/file-status.ts';
import { entryTarget, openFileTarget, restoreMetadata } from '../filesystem/inode-metadata.ts';
import { discardEntry } from '../filesystem/make-file.ts';
import { createFileAt, type Descriptor, openFileAt } from '../filesystem/open.ts';
import { SystemError } from '../filesystem/system-error.ts';
import { temporaryNameFor } from '../filesystem/temporary-name.ts';
import { byteStringToText } from '../format/byte-string.ts';
import { isBefore, sameTime } from '../format/file-time.ts';
import type { Node } from '../format/node.ts';
import { type FirstName, hasSeveralNames } from './hard-links.ts';
import type { RestoreContext, RestorePlace } from './restore-context.ts';
import type { OverwriteRule, RestoreAction } from './restore-request.ts';
import { openDirectoryOf, type TargetPlace } from './target-place.ts';

/** Restores everything that is not a directory: made beside its place under a temporary name, then renamed. */
export class FileRestorer {
  readonly #context: RestoreContext;

  constructor(context: RestoreContext) {
    this.#context = context;
  }

  /** True for what `makeWhole` may be called with. */
  isMadeWhole(node: Node): boolean {
    const { content, verify } = this.#context;
    return node.type === 'file' && !verify && !hasSeveralNames(node) && content.isOneBlob(node);
  }

  /** Restores a file where nothing is by far the fastest way: in a worker thread, from opening its blob to its name. */
  async makeWhole(place: RestorePlace, node: Node): Promise<void> {
    const { content, files, tasks, warnings } = this.#context;
    const failures = await content.makeFile(place, node);
    if (failures !== undefined) {
      for (const { what, errorCode } of failures) {
        warnings.addFailure(place.path, notRestored(what), new SystemError(errorCode, 'restoreMetadata'));
      }
      this.#done(place, node, 'restored');
      return;
    }
    // The long way finds another copy of the blob, or what is wrong.
    await files.acquire(1, { signal: tasks.signal });
    try {
      await this.restore(place, node, statusAt(place.directory, place.name));
    } finally {
      files.release(1);
    }
  }

  /**
   * Restores one entry where `current` is now; no directory may be there.
   * The part of the work that needs the order of entries is done before the first wait.
   */
  async restore(place: RestorePlace, node: Node, current: FileStatus | undefined): Promise<void> {
    if (current !== undefined && isLeftAlone(this.#context.overwrite, node, current)) {
      this.#context.counts.skipped += 1;
      this.#done(place, node, 'unchanged');
      return;
    }
    const action = hasSeveralNames(node)
      ? await this.#restoreLinked(place, node, current)
      : await this.#restoreAlone(place, node, current);
    this.#done(place, node, action);
  }

  async #restoreLinked(
    place: RestorePlace,
    node: Node,
    current: FileStatus | undefined,
  ): Promise<RestoreAction> {
    const { links, warnings } = this.#context;
    const first = links.find(node);
    if (first === undefined) {
      const restoring = this.#restoreAlone(place, node, current);
      const restored = restoring.then(
        () => true,
        () => false,
      );
      links.add(node, { components: place.components, restored });
      return await restoring;
    }
    if ((await first.restored) && this.#link(first, place)) return actionOn(current);
    warnings.add(place.path, 'it is a file of its own now: its hard link could not be made again');
    return await this.#restoreAlone(place, node, current);
  }

  /** False where the file systems do not allow the link. */
  #link(first: FirstName, place: RestorePlace): boolean {
    const temporary = temporaryNameFor();
    try {
      using directory = openDirectoryOf(this.#context.root, first.components);
      const name = first.components.at(-1) ?? place.name;
      link({ directory: directory.number, name }, { directory: place.directory, name: temporary });
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return false;
    }
    this.#moveIntoPlace(place, temporary);
    return true;
  }

  async #restoreAlone(
    place: RestorePlace,
    node: Node,
    current: FileStatus | undefined,
  ): Promise<RestoreAction> {
    if (node.type !== 'file') {
      this.#makeSpecial(place, node);
      return actionOn(current);
    }
    using old = openOldFile(place, current);
    if (old !== undefined && (await this.#keepContent(place, node, old))) return 'unchanged';
    await this.#makeFile(place, node, old?.number ?? place.copyFrom);
    return actionOn(current);
  }

  /** True if the file there had the node's content, and now has its metadata. */
  async #keepContent(place: RestorePlace, node: Node, file: Descriptor): Promise<boolean> {
    const status = statusOf(file.number);
    // An inode with another name may be shared with something outside the target: it is never changed.
    if (status.links !== 1) return false;
    if (!(await hasContent(this.#context, { file: file.number, status }, node))) return false;
    this.#restoreMetadata(place, node, openFileTarget(file.number), status);
    this.#context.counts.unchanged += 1;
    return true;
  }

  async #makeFile(place: RestorePlace, node: Node, old: number | undefined): Promise<void> {
    const { content, verify } = this.#context;
    const temporary = temporaryNameFor();
    using file = createFileAt(place.directory, temporary);
    try {
      await content.write(file.number, node, old);
      if (verify && !(await content.matches(file.number, node, statusOf(file.number).size))) {
        throw new SystemError('EIO', 'verify');
      }
      this.#restoreMetadata(place, node, openFileTarget(file.number));
      renameAt(place.directory, temporary, place.name);
    } catch (error) {
      discardEntry(place.directory, temporary);
      throw error;
    }
  }

  #makeSpecial(place: RestorePlace, node: Node): void {
    const temporary = temporaryNameFor();
    if (node.type === 'symlink') makeSymlinkAt(place.directory, temporary, node.linkTarget);
    else if (node.type === 'fifo' || node.type === 'dev' || node.type === 'chardev') {
      makeSpecialFileAt(place.directory, temporary, { type: node.type, device: node.device });
    } else return;
    this.#restoreMetadata(place, node, entryTarget(place.directory, temporary));
    this.#moveIntoPlace(place, temporary);
  }

  #moveIntoPlace(place: RestorePlace, temporary: RestorePlace['name']): void {
    try {
      renameAt(place.directory, temporary, place.name);
    } catch (error) {
      discardEntry(place.directory, temporary);
      throw error;
    }
  }

  #restoreMetadata(
    place: RestorePlace,
    node: Node,
    target: Parameters<typeof restoreMetadata>[0],
    current?: FileStatus,
  ): void {
    restoreMetadata(target, node, {
      current,
      onFailure: (what, error) => this.#context.warnings.addFailure(place.path, notRestored(what), error),
    });
  }

  #done(place: RestorePlace, node: Node, action: RestoreAction): void {
    const path = byteStringToText(place.path);
    const { counts, entries, progress } = this.#context;
    if (action === 'unchanged') counts.skippedBytes += node.size;
    entries.report({ action, path, bytes: node.size });
    if (node.size > 0) progress.addBytes(node.size);
    progress.addFile(path);
  }
}

export function isLeftAlone(overwrite: OverwriteRule, node: Node, current: FileStatus): boolean {
  if (overwrite === 'never') return true;
  return overwrite === 'if-newer' && !isBefore(current.modifiedAt, node.modifiedAt);
}

/** Whether an open file has the node's content, or is taken to have it. */
export async function hasContent(
  { content, overwrite }: RestoreContext,
  { file, status }: { readonly file: number; readonly status: FileStatus },
  node: Node,
): Promise<boolean> {
  if (status.size !== node.size) return false;
  const isTrusted = overwrite === 'if-changed' && sameTime(status.modifiedAt, node.modifiedAt);
  return isTrusted || (await content.matches(file, node, status.size));
}

/** Of a part of the metadata. */
export function notRestored(what: string): string {
  return `${what} could not be restored`;
}

function actionOn(current: FileStatus | undefined): RestoreAction {
  return current === undefined ? 'restored' : 'updated';
}

/** The regular file that is at the place, to compare with and copy from; undefined if there is none that can be read. */
export function openOldFile(place: TargetPlace, current: FileStatus | undefined): Descriptor | undefined {
  if (current === undefined || !isRegularFile(current)) return undefined;
  try {
    const file = openFileAt(place.directory, place.name);
    if (isRegularFile(statusOf(file.number))) return file;
    file[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
