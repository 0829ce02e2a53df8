import { HoldfastError, throwIfAborted } from '@holdfast/base';
import { entryNames } from '../filesystem/directory-entries.ts';
import { readLinkAt } from '../filesystem/entries.ts';
import {
  type FileStatus,
  isDirectory,
  isRegularFile,
  statusAt,
  statusOf,
} from '../filesystem/file-status.ts';
import {
  entryTarget,
  hasMetadata,
  type MetadataTarget,
  openFileTarget,
  readMetadata,
} from '../filesystem/inode-metadata.ts';
import { inodesMappedForWriting } from '../filesystem/mapped-files.ts';
import { openDirectoryAt } from '../filesystem/open.ts';
import { SystemError } from '../filesystem/system-error.ts';
import { isTemporaryName } from '../filesystem/temporary-name.ts';
import { type ByteString, byteStringToText, toByteString } from '../format/byte-string.ts';
import { nodeTypeOf } from '../format/go-file-mode.ts';
import { damaged } from '../format/json.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { DirectoryRestorer } from '../snapshot/directory-restorer.ts';
import { openOldFile } from '../snapshot/file-restorer.ts';
import { hasSeveralNames } from '../snapshot/hard-links.ts';
import { isOtherFileSystem } from '../snapshot/remove-entry.ts';
import type { RestoreContext, RestorePlace } from '../snapshot/restore-context.ts';
import { settleAll } from '../snapshot/settle-all.ts';
import { joinPath } from '../snapshot/source-tree.ts';
import { assertSafeName } from '../snapshot/target-place.ts';
import { readNodes } from '../snapshot/tree-reader.ts';
import { walkTree } from '../snapshot/walk.ts';
import { WeightedLimiter } from '../workers/weighted-limiter.ts';
import { type Chosen, type ChosenPath, chosenAt } from './chosen.ts';
import { KnownContents } from './known-contents.ts';
import { mountPointsBeneath } from './mount-points.ts';
import type { Operation } from './operation.ts';
import type { Difference, DifferentEntry } from './stage-request.ts';
import type { StagingFolder } from './staging-folder.ts';
import type { StagingRoot } from './staging-root.ts';

const entriesAtOnce = 64;

/** Told of the operations that bring a target to its new state, those of a directory after all of what is in it. */
export type OperationSink = (operation: Operation) => void;

/** What one pass over the target does beside counting. */
export interface PassOptions {
  /** Makes what differs and was not made yet. */
  readonly isMaking: boolean;
  readonly onOperation?: OperationSink | undefined;
  /** Told of each entry that is looked at. */
  readonly onEntry?: ((node: Node) => void) | undefined;
  /** Told of each entry that changes places. */
  readonly onDifference?: ((different: DifferentEntry) => void) | undefined;
}

interface Pass extends PassOptions {
  readonly counts: { files: number; bytes: number; removed: number };
  readonly known: KnownContents;
  /** Beneath the root: what is mounted there is neither moved nor looked into. */
  readonly mountPoints: ReadonlySet<ByteString>;
}

export interface StagePlace {
  readonly root: StagingRoot;
  /** What becomes of the node; undefined where nothing is to be made. */
  readonly folder?: StagingFolder | undefined;
  /** What of the node is meant: all else in the target stays as it is. */
  readonly chosen: Chosen;
  /** See `StageRequest`. */
  readonly kept?: readonly ChosenPath[] | undefined;
}

/** An entry of the target; its components are names from the root down. */
type Place = RestorePlace;

/** Compares a target with a node, pass by pass, and makes what differs in a staging folder. */
export class Stage {
  readonly #blobs: BlobReader;
  readonly #context: RestoreContext;
  readonly #root: StagingRoot;
  readonly #folder: StagingFolder | undefined;
  readonly #chosen: Chosen;
  /** Paths from the root down. */
  readonly #kept: ReadonlySet<string>;
  readonly #restorer: DirectoryRestorer;
  readonly #known = new KnownContents();
  readonly #deviceId: bigint;
  readonly #atOnce = new WeightedLimiter(entriesAtOnce);
  /** Names in the folder, by the path of what they are to become. */
  readonly #made = new Map<ByteString, ByteString>();
  #lastName = 0;

  /** @param context of a restore into the folder; without one, nothing can be made */
  constructor(blobs: BlobReader, context: RestoreContext, { root, folder, chosen, kept = [] }: StagePlace) {
    this.#blobs = blobs;
    this.#context = context;
    this.#root = root;
    this.#folder = folder;
    this.#chosen = chosen;
    this.#kept = new Set(kept.map((names) => names.map(toByteString).join('/')));
    this.#restorer = new DirectoryRestorer(context);
    this.#deviceId = statusOf(root.directory).deviceId;
  }

  async pass(node: Node, options: PassOptions): Promise<Difference> {
    const { directory, entry, path } = this.#root;
    this.#known.begin(inodesMappedForWriting());
    const pass: Pass = {
      ...options,
      counts: { files: 0, bytes: 0, removed: 0 },
      known: this.#known,
      mountPoints: mountPointsBeneath(directory),
    };
    if (entry === undefined) {
      const root = { directory, name: '.' as ByteString, path, components: [] };
      await this.#directory(pass, root, node, directory);
    } else {
      const place = { directory, name: entry, path: joinPath(path, entry), components: [entry] };
      await this.#entry(pass, place, node);
    }
    return pass.counts;
  }

  /** @param opened the directory itself */
  async #directory(pass: Pass, place: Place, node: Node, opened: number): Promise<void> {
    const status = statusOf(opened);
    if (node.subtree === undefined) throw damaged('tree', 'a directory in it has no subtree');
    const chosen = this.#chosenAt(place);
    const nodes = [...(await this.#context.trees.take(node.subtree))].filter(
      ({ name }) => (chosen === 'all' || chosen.has(name)) && !this.#isKept(place, opened, name),
    );
    for (const { name } of nodes) assertSafeName(name, place.path);
    const wanted = new Set(nodes.map(({ name }) => name));
    const removed = chosen === 'all' ? this.#removals(pass, place, opened, wanted) : 0;
    const swapped = await this.#children(pass, place, nodes, opened);
    const target = openFileTarget(opened);
    if (chosen !== 'all') {
      if (swapped > 0) pass.onOperation?.(metadataKept(place, readMetadata(target, status)));
      return;
    }
    if (removed + swapped > 0 || !hasMetadata(target, status, node)) {
      this.#setMetadata(pass, place, { target, status, node });
    }
  }

  /** Answers how many of them change places with something. */
  async #children(pass: Pass, above: Place, nodes: readonly Node[], opened: number): Promise<number> {
    const { signal } = this.#context.tasks;
    const pending: Promise<void>[] = [];
    let swapped = 0;
    const start = async (place: Place, node: Node, current: FileStatus | undefined): Promise<void> => {
      await this.#atOnce.acquire(1, { signal });
      const looking = this.#entry(pass, place, node, current)
        .then((isSwapped) => {
          if (isSwapped) swapped += 1;
        })
        .finally(() => this.#atOnce.release(1));
      // All are awaited below.
      looking.catch(() => {});
      pending.push(looking);
    };
    try {
      for (const node of nodes) {
        throwIfAborted(signal);
        const place = placeIn(above, opened, node.name);
        const current = statusAt(opened, node.name);
        if (node.type !== 'dir' || current === undefined || !isDirectory(current)) {
          await start(place, node, current);
          continue;
        }
        this.#assertOurs(place, current);
        using directory = openDirectoryAt(opened, node.name);
        await this.#directory(pass, place, node, directory.number);
      }
    } finally {
      // They use the directory that is open here.
      await Promise.allSettled(pending);
    }
    await settleAll(pending);
    return swapped;
  }

  /** True if it changes places with something. */
  async #entry(
    pass: Pass,
    place: Place,
    node: Node,
    current: FileStatus | undefined = statusAt(place.directory, place.name),
  ): Promise<boolean> {
    if (node.type === 'socket') return false;
    if (node.type === 'irregular') throw new SystemError('ENOTSUP', 'mknodat');
    pass.onEntry?.(node);
    if (current !== undefined) {
      this.#assertOurs(place, current);
      if (this.#chosenAt(place) !== 'all' && !isDirectory(current)) throw inTheWay(place.path);
      if (isDirectory(current)) this.#assertNothingMounted(pass, place);
      if (isDirectory(current) && this.#hasKept(place)) throw keptBeneath(place.path);
      if (await this.#isThere(pass, place, node, current)) return false;
    }
    await this.#countMade(pass, node, this.#chosenAt(place));
    const change = current === undefined ? 'made' : 'replaced';
    pass.onDifference?.({ change, path: byteStringToText(place.path), isDirectory: node.type === 'dir' });
    if (!pass.isMaking || this.#folder === undefined) return true;
    const { directory } = this.#folder;
    const staged = this.#made.get(place.path) ?? (await this.#make(directory, place, node, current));
    pass.onOperation?.({
      kind: 'swap',
      components: place.components,
      staged,
      old: current?.inode,
      new: statusAt(directory, staged)?.inode,
    });
    return true;
  }

  /** Whether the entry stays the inode that it is. */
  async #isThere(pass: Pass, place: Place, node: Node, current: FileStatus): Promise<boolean> {
    if (nodeTypeOf(current.mode) !== node.type) return false;
    if (node.type === 'symlink') {
      const target = entryTarget(place.directory, place.name);
      return (
        readLinkAt(place.directory, place.name) === node.linkTarget && hasMetadata(target, current, node)
      );
    }
    // An inode with another name may be shared with something outside the target: it is never changed.
    if (node.type !== 'file' || hasSeveralNames(node) || current.links !== 1) return false;
    if (current.size !== node.size) return false;
    const known = pass.known.find(current);
    if (known?.hasMetadata === true) return true;
    using file = openOldFile(place, current);
    if (file === undefined) return false;
    const status = statusOf(file.number);
    if (status.inode !== current.inode) return false;
    if (known === undefined && !(await this.#context.content.matches(file.number, node, status.size))) {
      return false;
    }
    const target = openFileTarget(file.number);
    const hasAll = hasMetadata(target, status, node);
    pass.known.add(status, { hasMetadata: hasAll });
    if (!hasAll) this.#setMetadata(pass, place, { target, status, node });
    return true;
  }

  #setMetadata(
    { onOperation }: Pass,
    { components }: Place,
    {
      target,
      status,
      node,
    }: { readonly target: MetadataTarget; readonly status: FileStatus; readonly node: Node },
  ): void {
    if (onOperation === undefined) return;
    const { type, mode, uid, gid, accessedAt, modifiedAt, extendedAttributes } = node;
    const next = { type, mode, uid, gid, accessedAt, modifiedAt, extendedAttributes };
    onOperation({ kind: 'metadata', components, old: readMetadata(target, status), new: next });
  }

  /** Moves out what the node does not have; answers how many entries that are. */
  #removals(pass: Pass, above: Place, opened: number, wanted: ReadonlySet<ByteString>): number {
    let removed = 0;
    for (const name of entryNames(opened)) {
      if (wanted.has(name) || this.#isFolder(above, name) || this.#isKept(above, opened, name)) continue;
      removed += this.#removal(pass, placeIn(above, opened, name));
    }
    return removed;
  }

  #removal(pass: Pass, place: Place): number {
    const status = statusAt(place.directory, place.name);
    if (status === undefined) return 0;
    if (isOtherFileSystem(status, this.#deviceId)) {
      this.#context.warnings.add(place.path, 'it was not removed: another file system is mounted there');
      return 0;
    }
    if (isDirectory(status) && (hasMountPoint(pass, place) || this.#hasKept(place))) {
      using opened = openDirectoryAt(place.directory, place.name);
      const target = openFileTarget(opened.number);
      const removed = this.#removals(pass, place, opened.number, new Set());
      if (removed > 0) pass.onOperation?.(metadataKept(place, readMetadata(target, status)));
      return 0;
    }
    pass.counts.removed += 1;
    const path = byteStringToText(place.path);
    pass.onDifference?.({ change: 'removed', path, isDirectory: isDirectory(status) });
    const staged = pass.onOperation === undefined ? undefined : this.#newName();
    if (staged !== undefined) {
      const { components } = place;
      pass.onOperation?.({ kind: 'swap', components, staged, old: status.inode, new: undefined });
    }
    return 1;
  }

  /** @param directory the staging folder */
  async #make(
    directory: number,
    place: Place,
    node: Node,
    current: FileStatus | undefined,
  ): Promise<ByteString> {
    const name = this.#newName();
    const isOld = current !== undefined && isRegularFile(current) && node.type === 'file';
    using old = isOld ? openOldFile(place, current) : undefined;
    const staged = { directory, name, path: place.path, components: [name] };
    const { tasks } = this.#context;
    const { done } = await this.#restorer.restoreRoot({ ...staged, copyFrom: old?.number }, node);
    await tasks.start(done);
    this.#made.set(place.path, name);
    return name;
  }

  async #countMade(pass: Pass, node: Node, chosen: Chosen): Promise<void> {
    const { counts } = pass;
    if (node.type !== 'dir' || node.subtree === undefined) {
      counts.files += 1;
      counts.bytes += node.size;
      return;
    }
    const { signal } = this.#context.tasks;
    if (chosen !== 'all') {
      for (const child of await readNodes(this.#blobs, node.subtree, { signal })) {
        const below = chosen.get(child.name);
        if (below !== undefined) await this.#countMade(pass, child, below);
      }
      return;
    }
    for await (const entry of walkTree({ blobs: this.#blobs, treeId: node.subtree, signal })) {
      if (entry.node.type === 'dir') continue;
      counts.files += 1;
      counts.bytes += entry.node.size;
    }
  }

  /** Only entries that are chosen, or have something chosen in them, are ever looked at. */
  #chosenAt({ components }: Place): Chosen {
    if (this.#chosen === 'all') return 'all';
    const names = this.#root.entry === undefined ? components : components.slice(1);
    return chosenAt(this.#chosen, names) ?? new Map();
  }

  #newName(): ByteString {
    this.#lastName += 1;
    return String(this.#lastName) as ByteString;
  }

  #isFolder({ components }: Place, name: ByteString): boolean {
    return components.length === 0 && isTemporaryName(name) && name === this.#folder?.name;
  }

  #isKept({ components }: Place, directory: number, name: ByteString): boolean {
    return this.#kept.has([...components, name].join('/')) && statusAt(directory, name) !== undefined;
  }

  #hasKept({ components }: Place): boolean {
    const prefix = `${components.join('/')}/`;
    return [...this.#kept].some((path) => path.startsWith(prefix));
  }

  /** What is on another file system cannot change places with what is staged on this one. */
  #assertOurs(place: Place, status: FileStatus): void {
    if (isOtherFileSystem(status, this.#deviceId)) throw mounted(place.path);
  }

  #assertNothingMounted(pass: Pass, place: Place): void {
    if (hasMountPoint(pass, place)) throw mounted(place.path);
  }
}

function placeIn(above: Place, directory: number, name: ByteString): Place {
  return { directory, name, path: joinPath(above.path, name), components: [...above.components, name] };
}

function hasMountPoint({ mountPoints }: Pass, { components }: Place): boolean {
  if (mountPoints.size === 0) return false;
  const prefix = `${components.join('/')}/`;
  return [...mountPoints].some((path) => path.startsWith(prefix));
}

function metadataKept({ components }: Place, metadata: ReturnType<typeof readMetadata>): Operation {
  return { kind: 'metadata', components, old: metadata, new: metadata };
}

function mounted(path: ByteString): HoldfastError {
  const context = { path: byteStringToText(path) };
  return new HoldfastError('target-unsafe', `Another file system is mounted at or beneath ${context.path}.`, {
    hint: 'Unmount it for the restore, or restore into another place. Nothing was changed.',
    context,
  });
}

function keptBeneath(path: ByteString): HoldfastError {
  const context = { path: byteStringToText(path) };
  return new HoldfastError(
    'target-unsafe',
    `${context.path} is a directory with something that has to stay, and is none in the backup.`,
    { hint: 'Move it away, and restore again. Nothing was changed.', context },
  );
}

function inTheWay(path: ByteString): HoldfastError {
  const context = { path: byteStringToText(path) };
  return new HoldfastError(
    'target-unsafe',
    `${context.path} is no directory, and what is to be restored belongs into one.`,
    { hint: 'Move it away, or restore that directory as a whole. Nothing was changed.', context },
  );
}
