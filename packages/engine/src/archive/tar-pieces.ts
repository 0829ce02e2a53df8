import { createHash } from 'node:crypto';
import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import { type ByteString, byteStringToText, emptyByteString } from '../format/byte-string.ts';
import type { Node } from '../format/node.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import { hasSeveralNames } from '../snapshot/hard-links.ts';
import { assertSafeName } from '../snapshot/target-place.ts';
import type { WalkEntry } from '../snapshot/walk.ts';
import type { ArchivePiece, BlobPiece } from './read-pieces.ts';
import { isInTar, tarContentBytes, tarEnd, tarHeader, tarPadding } from './tar-header.ts';

/** A file of checksums is made when it would be longer than this. */
const mostChecksumBytes = 1024 * 1024;

/** A file of the archive's own, not of a snapshot. */
export interface TarFile {
  /** With a slash before the first name, as entries have it. */
  readonly path: ByteString;
  readonly content: Buffer;
}

export type TarMember = WalkEntry | TarFile;

export interface TarPiecesRequest extends Abortable {
  readonly blobs: BlobReader;
  /** Directories before what is in them. */
  readonly members: AsyncIterable<TarMember>;
  /** Where files with the SHA-256 of all contents go, as `sha256sum -c` takes them; undefined for none. */
  readonly checksumsFolder?: ByteString | undefined;
}

/**
 * A tar archive of the members. Names of one inode after the first are hard links; sockets are left out, as tar does.
 * @throws HoldfastError `blob-missing`, `repository-damaged`, `target-unsafe`, and whatever the members reject with
 */
export async function* tarPieces(request: TarPiecesRequest): AsyncGenerator<ArchivePiece, void> {
  const { blobs, members, checksumsFolder, signal } = request;
  const firstNames = new Map<string, ByteString>();
  const checksums = checksumsFolder === undefined ? undefined : new Checksums(checksumsFolder);
  for await (const member of members) {
    throwIfAborted(signal);
    if ('content' in member) {
      yield* ownFile(member.path, [member.content], member.content.length);
      checksums?.add(member.path, () => sha256(member.content));
    } else if (isInTar(member.node)) yield* entryPieces(blobs, member, { firstNames, checksums });
    if (checksums?.isFull) yield* checksums.take();
  }
  if (checksums !== undefined) yield* checksums.take();
  yield tarEnd();
}

interface Archived {
  readonly firstNames: Map<string, ByteString>;
  readonly checksums: Checksums | undefined;
}

function* entryPieces(
  blobs: BlobReader,
  entry: WalkEntry,
  { firstNames, checksums }: Archived,
): Generator<ArchivePiece> {
  const { node } = entry;
  assertSafeName(node.name, entry.path);
  const path = entry.path.slice(1) as ByteString;
  const linkTo = hasSeveralNames(node) ? firstNameOf(firstNames, node, path) : undefined;
  const described = { path, node, linkTo };
  const content = linkTo === undefined ? blobPieces(blobs, entry) : [];
  yield tarHeader(described);
  if (checksums === undefined || node.type !== 'file' || linkTo !== undefined) yield* content;
  else yield* checksums.addBlobs(entry.path, content);
  yield* padding(tarContentBytes(described));
}

/** `sizeBytes`: of all pieces together. */
function* ownFile(
  path: ByteString,
  pieces: readonly ArchivePiece[],
  sizeBytes: number,
): Generator<ArchivePiece> {
  yield tarHeader({ path: path.slice(1) as ByteString, node: ownNode(sizeBytes) });
  yield* pieces;
  yield* padding(sizeBytes);
}

function* padding(contentBytes: number): Generator<ArchivePiece> {
  const filling = tarPadding(contentBytes);
  if (filling.length > 0) yield filling;
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

/** Lines for `sha256sum -c`, a file of them whenever there are many: what they take in memory is bounded. */
class Checksums {
  readonly #folder: ByteString;
  #lines: { readonly path: ByteString; readonly digest: () => string }[] = [];
  #bytes = 0;
  #files = 0;

  constructor(folder: ByteString) {
    this.#folder = folder;
  }

  get isFull(): boolean {
    return this.#bytes > mostChecksumBytes;
  }

  /** `digest` is asked when the content was read. */
  add(path: ByteString, digest: () => string): void {
    const name = path.slice(1) as ByteString;
    this.#lines.push({ path: name, digest });
    this.#bytes += lineOf(name, '').length + 64;
  }

  /** A blob is known by its SHA-256: only what is of several has to be hashed. */
  addBlobs(path: ByteString, blobs: readonly BlobPiece[]): readonly BlobPiece[] {
    const [first, ...more] = blobs;
    if (first !== undefined && more.length === 0) {
      this.add(path, () => first.id);
      return blobs;
    }
    const hash = createHash('sha256');
    this.add(path, () => hash.digest('hex'));
    return blobs.map((blob) => ({ ...blob, hash }));
  }

  /** The file of those that were added since the last. */
  *take(): Generator<ArchivePiece> {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#files += 1;
    const path = `${this.#folder}/${String(this.#files).padStart(4, '0')}.sha256` as ByteString;
    const make = (): Buffer =>
      Buffer.from(lines.map(({ path: name, digest }) => lineOf(name, digest())).join(''), 'latin1');
    yield* ownFile(path, [{ make }], this.#bytes);
    this.#lines = [];
    this.#bytes = 0;
  }
}

/** A name with a backslash or a line's end is escaped, and its line begins with a backslash. */
function lineOf(name: ByteString, digest: string): string {
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${escaped === name ? '' : '\\'}${digest}  ${escaped}\n`;
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
