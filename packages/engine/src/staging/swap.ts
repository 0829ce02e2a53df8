import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { HoldfastError } from '@holdfast/base';
import { type Entry, exchangeEntries, moveEntry } from '../filesystem/entries.ts';
import { isDirectory, isRegularFile, statusAt, statusOf } from '../filesystem/file-status.ts';
import {
  entryTarget,
  type InodeMetadata,
  openFileTarget,
  restoreMetadata,
} from '../filesystem/inode-metadata.ts';
import { type Descriptor, openDirectoryAt, openFileAt } from '../filesystem/open.ts';
import { syncFileSystem } from '../filesystem/sync.ts';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';
import type { EntryReports } from '../snapshot/entry-report.ts';
import { openDirectoryOf } from '../snapshot/target-place.ts';
import { decodeOperation, type MetadataOperation, type SwapOperation } from './operation.ts';
import { pathIn, type StagingFolder } from './staging-folder.ts';

/** To what the target becomes, or to what it was. */
export type Direction = 'forward' | 'back';

/**
 * Brings the target forward or back by a complete journal, from whatever state it was left in by a run that was cut off.
 * Only renames and metadata: nothing of the contents is needed but what is there.
 * @throws SystemError; HoldfastError `target-changed`
 */
export async function swapByJournal(
  folder: StagingFolder,
  direction: Direction,
  warnings: EntryReports,
): Promise<void> {
  using places = new Places(folder);
  const journal = createReadStream(pathIn(folder, 'journal' as ByteString), { encoding: 'latin1' });
  for await (const line of createInterface({ input: journal })) {
    const operation = decodeOperation(line);
    if (operation.kind === 'swap') swapEntry(places, operation, direction);
    else setMetadata(places, operation, direction, warnings);
  }
  await syncFileSystem(folder.directory);
}

/** Three names hold two inodes: all states that a crash can leave between them lead on. */
function swapEntry(places: Places, operation: SwapOperation, direction: Direction): void {
  const isForward = direction === 'forward';
  const coming = isForward ? operation.new : operation.old;
  const going = isForward ? operation.old : operation.new;
  const place = places.entry(operation.components);
  const staged = places.staged(operation.staged);
  const aside = places.staged(`${operation.staged}~` as ByteString);
  const inodes = (): readonly (bigint | undefined)[] => [place, staged, aside].map(inodeOf);
  let [there, kept, between] = inodes();
  if (there === coming && between === undefined) return;
  assertOnly([there, kept, between], [coming, going], places.pathOf(operation.components));
  if (there !== undefined && kept !== undefined && between === undefined && exchangeEntries(place, staged))
    return;
  if (there !== undefined && there !== coming) moveEntry(place, kept === undefined ? staged : aside);
  [there, kept, between] = inodes();
  if (there === undefined && coming !== undefined) moveEntry(kept === coming ? staged : aside, place);
  if (inodeOf(aside) !== undefined) moveEntry(aside, staged);
}

function inodeOf({ directory, name }: Entry): bigint | undefined {
  return statusAt(directory, name)?.inode;
}

function assertOnly(
  found: readonly (bigint | undefined)[],
  expected: readonly (bigint | undefined)[],
  path: string,
): void {
  const sorted = (inodes: readonly (bigint | undefined)[]): string =>
    inodes
      .filter((inode) => inode !== undefined)
      .map(String)
      .sort()
      .join();
  if (sorted(found) === sorted(expected)) return;
  throw new HoldfastError('target-changed', `Somebody changed ${path} while it was being replaced.`, {
    hint: 'Nothing may write to the target meanwhile. What it was before is in the folder .holdfast-restore-… beside it.',
    context: { path },
  });
}

function setMetadata(
  places: Places,
  { components, old, new: next }: MetadataOperation,
  direction: Direction,
  warnings: EntryReports,
): void {
  const metadata = direction === 'forward' ? next : old;
  const path = places.bytesOf(components);
  const onFailure = (what: string, error: unknown): void =>
    warnings.addFailure(path, `${what} could not be restored`, error);
  if (components.length === 0) setOpened(places.root, metadata, onFailure);
  else {
    const { directory, name } = places.entry(components);
    const status = statusAt(directory, name);
    if (status === undefined) return;
    if (isDirectory(status) || isRegularFile(status)) {
      using opened = isDirectory(status) ? openDirectoryAt(directory, name) : openFileAt(directory, name);
      setOpened(opened.number, metadata, onFailure);
    } else restoreMetadata(entryTarget(directory, name), metadata, { current: status, onFailure });
  }
}

function setOpened(
  descriptor: number,
  metadata: InodeMetadata,
  onFailure: (what: string, error: unknown) => void,
): void {
  restoreMetadata(openFileTarget(descriptor), metadata, { current: statusOf(descriptor), onFailure });
}

/** Opens the directories of a journal's entries; most follow each other in one. */
class Places implements Disposable {
  readonly #folder: StagingFolder;
  #above: ByteString | undefined;
  #opened: Descriptor | undefined;

  constructor(folder: StagingFolder) {
    this.#folder = folder;
  }

  get root(): number {
    return this.#folder.root.directory;
  }

  entry(components: readonly ByteString[]): Entry {
    const above = components.slice(0, -1).join('/') as ByteString;
    if (this.#opened === undefined || this.#above !== above) {
      this.#opened?.[Symbol.dispose]();
      this.#opened = openDirectoryOf(this.root, components);
      this.#above = above;
    }
    return { directory: this.#opened.number, name: components.at(-1) ?? ('.' as ByteString) };
  }

  staged(name: ByteString): Entry {
    return { directory: this.#folder.directory, name };
  }

  bytesOf(components: readonly ByteString[]): ByteString {
    return [this.#folder.root.path, ...components].join('/') as ByteString;
  }

  pathOf(components: readonly ByteString[]): string {
    return byteStringToText(this.bytesOf(components));
  }

  [Symbol.dispose](): void {
    this.#opened?.[Symbol.dispose]();
  }
}
