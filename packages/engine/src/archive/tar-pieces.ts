import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import { type ByteString, byteStringToText } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { hasSeveralNames } from '../snapshot/hard-links.ts';
import { assertSafeName } from '../snapshot/target-place.ts';
import type { WalkEntry } from '../snapshot/walk.ts';
import type { ArchivePiece, BlobPiece } from './read-pieces.ts';
import { isInTar, tarContentBytes, tarEnd, tarHeader, tarPadding } from './tar-header.ts';

export interface TarPiecesRequest extends Abortable {
  readonly blobs: BlobReader;
  /** Directories before what is in them. */
  readonly entries: AsyncIterable<WalkEntry>;
  /** Told of each entry once its header is made. */
  readonly onEntry?: ((entry: WalkEntry) => void) | undefined;
}

/**
 * A tar archive of the entries. Names of one inode after the first are hard links; sockets are left out, as tar does.
 * @throws HoldfastError `blob-missing`, `repository-damaged`, `target-unsafe`, and whatever the entries reject with
 */
export async function* tarPieces({
  blobs,
  entries,
  onEntry,
  signal,
}: TarPiecesRequest): AsyncGenerator<ArchivePiece, void> {
  const firstNames = new Map<string, ByteString>();
  for await (const entry of entries) {
    throwIfAborted(signal);
    const { node, path: rooted } = entry;
    assertSafeName(node.name, rooted);
    onEntry?.(entry);
    if (!isInTar(node)) continue;
    const path = rooted.slice(1) as ByteString;
    const linkTo = hasSeveralNames(node) ? firstNameOf(firstNames, node, path) : undefined;
    const described = { path, node, linkTo };
    const content = linkTo === undefined ? blobPieces(blobs, entry) : [];
    yield tarHeader(described);
    yield* content;
    const padding = tarPadding(tarContentBytes(described));
    if (padding.length > 0) yield padding;
  }
  yield tarEnd();
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
