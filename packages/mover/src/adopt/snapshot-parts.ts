import { type Abortable, isHoldfastError } from '@holdfast/base';
import {
  type BlobReader,
  type ByteString,
  directoryOf,
  findNode,
  type Node,
  readNodes,
  type Snapshot,
  type TreeId,
  toByteString,
} from '@holdfast/engine';
import type { MountSource } from '@holdfast/protocol';

/** What of a snapshot becomes a part. */
export interface SnapshotPart {
  /** The name of a volume, or the path that was backed up. */
  readonly name: string;
  readonly source: MountSource;
  readonly node: Node;
}

type Names = readonly [ByteString, ...ByteString[]];

/** A path that was backed up, and where in the tree it is. */
interface PlacedPath {
  readonly path: string;
  readonly names: Names;
}

/**
 * A part for each path that was backed up, with the owner, mode and times that its own entry has. Where they cannot be told
 * apart with nothing left over (`restic backup .`, another system's paths), the whole snapshot is one part.
 *
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`
 */
export async function partsOfSnapshot(
  { tree, paths, time }: Snapshot,
  blobs: BlobReader,
  options: Abortable,
): Promise<readonly SnapshotPart[]> {
  const placed = await placePaths(tree, paths, blobs, options);
  if (placed === undefined) {
    const [path = '/', ...others] = paths;
    const source = others.length === 0 ? sourceOf(path) : ({ kind: 'bind', path: '/' } as const);
    const seconds = time.epochNs / 1_000_000_000n;
    const node = directoryOf(tree, { seconds: Number(seconds), nanoseconds: 0 });
    return [{ name: nameOf(source), source, node }];
  }
  const sources = placed.map(({ path }) => sourceOf(path));
  const volumes = sources.flatMap((source) => (source.kind === 'volume' ? [source.name] : []));
  // Of two folders that are called like the same volume, neither is taken for it.
  const isTwice = new Set(volumes).size < volumes.length;
  return await Promise.all(
    placed.map(async ({ path, names }) => {
      const source = isTwice ? ({ kind: 'bind', path } as const) : sourceOf(path);
      return { name: nameOf(source), source, node: await findNode(blobs, tree, names, options) };
    }),
  );
}

/** Undefined where one is not found, or the tree holds something besides them. */
async function placePaths(
  tree: TreeId,
  paths: readonly string[],
  blobs: BlobReader,
  options: Abortable,
): Promise<readonly PlacedPath[] | undefined> {
  const placed: PlacedPath[] = [];
  for (const path of paths) {
    const names = await placeOf(tree, path, blobs, options);
    if (names === undefined) return undefined;
    placed.push({ path, names });
  }
  const outer = placed.filter(
    ({ names }, position) =>
      !placed.some((other, at) => at !== position && isBeneath(names, other.names, at < position)),
  );
  const holdsNoMore = await coversAll(
    tree,
    outer.map(({ names }) => names),
    blobs,
    options,
  );
  return outer.length > 0 && holdsNoMore ? outer : undefined;
}

/** A path that was given relative to a folder stands in the tree without what leads to that folder. */
async function placeOf(
  tree: TreeId,
  path: string,
  blobs: BlobReader,
  options: Abortable,
): Promise<Names | undefined> {
  if (!path.startsWith('/')) return undefined;
  const all = path.split('/').filter((name) => name !== '');
  for (let from = 0; from < all.length; from += 1) {
    const [first, ...rest] = all.slice(from).map(toByteString);
    if (first === undefined) return undefined;
    try {
      await findNode(blobs, tree, [first, ...rest], options);
      return [first, ...rest];
    } catch (error) {
      if (!isHoldfastError(error, 'path-unknown')) throw error;
    }
  }
  return undefined;
}

function isBeneath(names: Names, other: Names, isFirst: boolean): boolean {
  if (other.length > names.length || (other.length === names.length && !isFirst)) return false;
  return other.every((name, position) => name === names[position]);
}

/** Whether each entry of the tree is one of these, leads to one, or lies in one. */
async function coversAll(
  tree: TreeId,
  paths: readonly (readonly ByteString[])[],
  blobs: BlobReader,
  options: Abortable,
): Promise<boolean> {
  for (const { name, subtree } of await readNodes(blobs, tree, options)) {
    const rest = paths.filter(([first]) => first === name).map(([, ...names]) => names);
    if (rest.length === 0) return false;
    if (rest.some((names) => names.length === 0)) continue;
    if (subtree === undefined || !(await coversAll(subtree, rest, blobs, options))) return false;
  }
  return true;
}

/** Where Docker keeps a plain local volume. */
const volumeFolder = /^\/.+\/volumes\/([a-zA-Z0-9][a-zA-Z0-9_.-]+)\/_data$/;

function sourceOf(path: string): MountSource {
  const name = volumeFolder.exec(path)?.[1];
  if (name === undefined) return { kind: 'bind', path };
  return { kind: 'volume', name, driver: 'local', labels: {}, options: {} };
}

function nameOf(source: MountSource): string {
  return source.kind === 'bind' ? source.path : source.name;
}
