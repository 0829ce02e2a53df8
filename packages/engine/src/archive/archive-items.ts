import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import { type ByteString, byteStringToText, emptyByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { hasSeveralNames } from '../snapshot/hard-links.ts';
import { assertSafeName } from '../snapshot/target-place.ts';
import type { WalkEntry } from '../snapshot/walk.ts';
import { type ArchiveText, Checksums } from './checksums.ts';
import type { ArchivePiece, BlobPiece } from './read-pieces.ts';

/** A file of the archive's own, not of a snapshot. */
export interface ArchiveFile {
  /** With a slash before the first name, as entries have it. */
  readonly path: ByteString;
  readonly content: Buffer;
}

export type ArchiveMember = WalkEntry | ArchiveFile;

export interface ArchiveContents {
  /** What the archive is of, in order, directories before what is in them: see `entriesBeneath` and `entriesAt`. */
  readonly members: AsyncIterable<ArchiveMember>;
  /** Where in the archive files with the SHA-256 of all contents go, as `sha256sum -c` takes them; undefined for none. */
  readonly checksumsFolder?: ByteString | undefined;
}

/** What a kind of archive can hold. */
export interface ArchiveRules {
  /** Other entries are left out. */
  holds(entry: WalkEntry): boolean;
  /** Without them, each name is a file of its own. */
  readonly hasHardLinks: boolean;
}

export interface ArchiveItem {
  /** Without a slash at either end. */
  readonly path: ByteString;
  readonly node: Node;
  /** The path of the same inode earlier in the archive, of which this is another name. */
  readonly linkTo?: ByteString | undefined;
  /** Of a file without `linkTo`: `node.size` bytes. */
  readonly content: readonly ArchivePiece[];
}

export interface ArchiveItemsRequest extends ArchiveContents, Abortable {
  readonly blobs: BlobReader;
  readonly rules: ArchiveRules;
}

/**
 * What an archive of the members is made of, one after the other.
 * @throws HoldfastError `blob-missing`, `repository-damaged`, `target-unsafe`, and whatever the members reject with
 */
export async function* archiveItems(request: ArchiveItemsRequest): AsyncGenerator<ArchiveItem, void> {
  const { members, checksumsFolder, signal } = request;
  const checksums = checksumsFolder === undefined ? undefined : new Checksums(checksumsFolder);
  const firstNames = new Map<string, ByteString>();
  for await (const member of members) {
    throwIfAborted(signal);
    if ('content' in member) {
      const { path, content } = member;
      checksums?.add(path, () => sha256(content));
      yield ownItem({ path, sizeBytes: content.length, make: () => content });
    } else if (request.rules.holds(member)) yield itemOf(request, member, { firstNames, checksums });
    if (checksums?.isFull) yield* checksumItems(checksums);
  }
  if (checksums !== undefined) yield* checksumItems(checksums);
}

interface Archived {
  readonly firstNames: Map<string, ByteString>;
  readonly checksums: Checksums | undefined;
}

function itemOf(
  { blobs, rules }: ArchiveItemsRequest,
  entry: WalkEntry,
  { firstNames, checksums }: Archived,
): ArchiveItem {
  const { node } = entry;
  assertSafeName(node.name, entry.path);
  const path = entry.path.slice(1) as ByteString;
  const isShared = rules.hasHardLinks && hasSeveralNames(node);
  const linkTo = isShared ? firstNameOf(firstNames, node, path) : undefined;
  if (linkTo !== undefined) return { path, node, linkTo, content: [] };
  const content = blobPieces(blobs, entry);
  const isHashed = checksums !== undefined && node.type === 'file';
  return { path, node, content: isHashed ? checksums.addBlobs(entry.path, content) : content };
}

function* checksumItems(checksums: Checksums): Generator<ArchiveItem> {
  const text = checksums.take();
  if (text !== undefined) yield ownItem(text);
}

function ownItem(text: ArchiveText): ArchiveItem {
  const { path, sizeBytes } = text;
  return { path: path.slice(1) as ByteString, node: ownNode(sizeBytes), content: [text] };
}

function ownNode(size: number): Node {
  const time = { seconds: 0, nanoseconds: 0 };
  return {
    ...{ name: emptyByteString, type: 'file', mode: 0o644, size, links: 1, content: null },
    ...{ modifiedAt: time, accessedAt: time, changedAt: time, uid: 0, gid: 0 },
    ...{ user: emptyByteString, group: emptyByteString, inode: 0n, deviceId: 0n, device: 0n },
    ...{ linkTarget: emptyByteString, extendedAttributes: [], genericAttributes: undefined },
    ...{ subtree: undefined, error: emptyByteString },
  } as const;
}

/** The first name of the inode, if it had one before; otherwise this is the first. */
function firstNameOf(names: Map<string, ByteString>, node: Node, path: ByteString): ByteString | undefined {
  const inode = `${node.deviceId}:${node.inode}`;
  const first = names.get(inode);
  if (first === undefined) names.set(inode, path);
  return first;
}

/** @throws HoldfastError `blob-missing`, `repository-damaged`: an archive with another length would be damaged from there on */
export function blobPieces(blobs: BlobReader, { path, node }: WalkEntry): readonly BlobPiece[] {
  const context = { path: byteStringToText(path) };
  const pieces = (node.content ?? []).map((id) => {
    const sizeBytes = blobs.blobSizeBytes('data', id);
    if (sizeBytes !== undefined) return { id, sizeBytes };
    throw new HoldfastError('blob-missing', `A chunk of ${context.path} is not in the repository.`, {
      hint: 'Check the repository: it names the snapshots that need the blob.',
      context: { ...context, blobId: id },
    });
  });
  const lengthBytes = pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (node.type !== 'file' || lengthBytes === node.size) return pieces;
  throw new HoldfastError('repository-damaged', `The chunks of ${context.path} do not add up to its size.`, {
    hint: 'Check the repository, or take another backup.',
    context,
  });
}
