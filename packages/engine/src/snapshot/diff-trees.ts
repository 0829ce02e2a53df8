import { type Abortable, throwIfAborted } from '@holdfast/base';
import { type ByteString, emptyByteString } from '../format/byte-string.ts';
import { sameTime } from '../format/file-time.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { joinPath } from './source-tree.ts';
import { readNodes } from './tree-reader.ts';

/** `changed`: another type, content or link target; `metadata`: only owner, mode, modification time or attributes. */
export type TreeChange = 'added' | 'removed' | 'changed' | 'metadata';

export interface TreeDifference {
  readonly change: TreeChange;
  /** From the top of the trees, with `/` between names and before the first. */
  readonly path: ByteString;
  /** Undefined for what was added. */
  readonly old: Node | undefined;
  /** Undefined for what was removed. */
  readonly new: Node | undefined;
}

export interface DiffTreesRequest extends Abortable {
  readonly blobs: BlobReader;
  /** Undefined: nothing, so that all of the other is added. */
  readonly oldTreeId: TreeId | undefined;
  /** Undefined: nothing, so that all of the other is removed. */
  readonly newTreeId: TreeId | undefined;
}

/**
 * What differs between two trees, in the order of names, each directory before what is in it. Directories that are the same
 * tree are not looked into.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, `repository-damaged`
 */
export async function* diffTrees({
  oldTreeId,
  newTreeId,
  ...options
}: DiffTreesRequest): AsyncGenerator<TreeDifference, void> {
  yield* diffBelow(oldTreeId, newTreeId, emptyByteString, options);
}

type DiffOptions = Pick<DiffTreesRequest, 'blobs' | 'signal'>;

async function* diffBelow(
  oldTreeId: TreeId | undefined,
  newTreeId: TreeId | undefined,
  path: ByteString,
  options: DiffOptions,
): AsyncGenerator<TreeDifference, void> {
  throwIfAborted(options.signal);
  if (oldTreeId === newTreeId) return;
  const [olds, news] = [await nodesOf(oldTreeId, options), await nodesOf(newTreeId, options)];
  let [left, right] = [olds.next().value ?? undefined, news.next().value ?? undefined];
  while (left !== undefined || right !== undefined) {
    const isOld = right === undefined || (left !== undefined && left.name <= right.name);
    const isNew = left === undefined || (right !== undefined && right.name <= left.name);
    const [old, next] = [isOld ? left : undefined, isNew ? right : undefined];
    yield* diffNodes(old, next, joinPath(path, (old ?? next)?.name ?? emptyByteString), options);
    if (isOld) left = olds.next().value ?? undefined;
    if (isNew) right = news.next().value ?? undefined;
  }
}

async function* diffNodes(
  old: Node | undefined,
  next: Node | undefined,
  path: ByteString,
  options: DiffOptions,
): AsyncGenerator<TreeDifference, void> {
  const change = changeOf(old, next);
  if (change !== undefined) yield { change, path, old, new: next };
  yield* diffBelow(old?.subtree, next?.subtree, path, options);
}

async function nodesOf(
  treeId: TreeId | undefined,
  { blobs, signal }: DiffOptions,
): Promise<Iterator<Node, void>> {
  return treeId === undefined ? [].values() : await readNodes(blobs, treeId, { signal });
}

function changeOf(old: Node | undefined, next: Node | undefined): TreeChange | undefined {
  if (old === undefined) return 'added';
  if (next === undefined) return 'removed';
  if (old.type !== next.type || old.linkTarget !== next.linkTarget || old.device !== next.device)
    return 'changed';
  if (!sameContent(old.content, next.content)) return 'changed';
  return sameMetadata(old, next) ? undefined : 'metadata';
}

function sameContent(old: Node['content'], next: Node['content']): boolean {
  const [left, right] = [old ?? [], next ?? []];
  return left.length === right.length && left.every((id, position) => id === right[position]);
}

function sameMetadata(old: Node, next: Node): boolean {
  if (old.mode !== next.mode || old.uid !== next.uid || old.gid !== next.gid) return false;
  // What is in a directory changes its time: that is told by what is in it.
  if (old.type !== 'dir' && !sameTime(old.modifiedAt, next.modifiedAt)) return false;
  const [left, right] = [old.extendedAttributes, next.extendedAttributes];
  return (
    left.length === right.length &&
    left.every(
      ({ name, value }, position) =>
        name === right[position]?.name && Buffer.compare(value, right[position].value) === 0,
    )
  );
}
