import type { Hash } from 'node:crypto';
import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { BlobId } from '../format/ids.ts';
import type { BlobCopier } from '../repository/blob-store.ts';
import { SharedRing } from '../workers/shared-ring.ts';

export interface BlobPiece {
  readonly id: BlobId;
  readonly sizeBytes: number;
  /** Given the bytes when their turn comes. */
  readonly hash?: Hash | undefined;
}

/** Made when its turn comes: when all that is before it was read. */
export interface LatePiece {
  make(): Uint8Array;
}

/** What an archive is made of: bytes as they are, a blob that has to be read, or what depends on what was read. */
export type ArchivePiece = Uint8Array | BlobPiece | LatePiece;

export interface ReadPiecesRequest<Piece extends ArchivePiece> extends Abortable {
  readonly copier: BlobCopier;
  readonly pieces: AsyncIterable<Piece>;
}

export interface ReadPiece<Piece extends ArchivePiece> {
  readonly piece: Piece;
  /** The caller's until the next is asked for: their memory is used again. */
  readonly bytes: Uint8Array;
}

/** For blobs that are read before it is their turn. */
const memoryBytes = 32 * 1024 * 1024;
const mostPiecesAhead = 4096;

interface PieceAhead<Piece> {
  readonly piece: Piece;
  /** Resolves when its bytes are there. */
  readonly read: Promise<void> | undefined;
  bytes(): Uint8Array;
  /** Whether its bytes are in memory that is lent. */
  readonly isLent: boolean;
}

/**
 * All pieces with their bytes, in order; those of a blob are proven. Blobs are read ahead, neighbours together.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, and whatever the pieces reject with
 */
export async function* readPieces<Piece extends ArchivePiece>({
  copier,
  pieces,
  signal,
}: ReadPiecesRequest<Piece>): AsyncGenerator<ReadPiece<Piece>, void> {
  const ring = new SharedRing(memoryBytes);
  const ahead: PieceAhead<Piece>[] = [];
  const source = pieces[Symbol.asyncIterator]();
  /** The next one, which there may be no room for yet; undefined at the end. */
  let next = await nextOf(source);
  const startNext = (piece: Piece): boolean => {
    const started = start(piece);
    if (started !== undefined) ahead.push(started);
    return started !== undefined;
  };
  /** Undefined while there is no room for it. */
  const start = (piece: Piece): PieceAhead<Piece> | undefined => {
    if (piece instanceof Uint8Array) return { piece, read: undefined, bytes: () => piece, isLent: false };
    if ('make' in piece) return { piece, read: undefined, bytes: () => piece.make(), isLent: false };
    const bytes = ring.take(piece.sizeBytes);
    if (bytes === undefined) return undefined;
    const read = copier.read(piece.id, bytes, { signal });
    // Whoever stops before its turn does not want it.
    read.catch(() => {});
    return {
      piece,
      read,
      bytes: () => {
        piece.hash?.update(bytes);
        return bytes;
      },
      isLent: true,
    };
  };
  try {
    for (;;) {
      throwIfAborted(signal);
      while (next !== undefined && ahead.length < mostPiecesAhead && startNext(next))
        next = await nextOf(source);
      const first = ahead.shift();
      if (first === undefined) return;
      await first.read;
      yield { piece: first.piece, bytes: first.bytes() };
      if (first.isLent) ring.give();
    }
  } finally {
    await source.return?.();
    // Threads may still write to the memory.
    await Promise.allSettled(ahead.map(({ read }) => read));
  }
}

async function nextOf<Piece>(source: AsyncIterator<Piece>): Promise<Piece | undefined> {
  const { done, value } = await source.next();
  return done === true ? undefined : value;
}
