import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { BlobId } from '../format/ids.ts';
import type { BlobCopier } from '../repository/blob-store.ts';
import { SharedRing } from '../workers/shared-ring.ts';

export interface BlobPiece {
  readonly id: BlobId;
  readonly sizeBytes: number;
}

/** What an archive is made of: bytes as they are, or a blob that has to be read. */
export type ArchivePiece = Uint8Array | BlobPiece;

export interface ReadPiecesRequest extends Abortable {
  readonly copier: BlobCopier;
  readonly pieces: AsyncIterable<ArchivePiece>;
}

/** For blobs that are read before it is their turn. */
const memoryBytes = 32 * 1024 * 1024;
const mostPiecesAhead = 4096;

interface PieceAhead {
  readonly bytes: Uint8Array;
  /** Undefined for bytes that are there already. */
  readonly read: Promise<void> | undefined;
}

/**
 * The bytes of all pieces, in order; those of a blob are proven. Blobs are read ahead, neighbours together. Each is the
 * caller's until the next is asked for: its memory is used again.
 * @throws HoldfastError `blob-missing`, `blob-damaged`, and whatever the pieces reject with
 */
export async function* readPieces({
  copier,
  pieces,
  signal,
}: ReadPiecesRequest): AsyncGenerator<Uint8Array, void> {
  const ring = new SharedRing(memoryBytes);
  const ahead: PieceAhead[] = [];
  const source = pieces[Symbol.asyncIterator]();
  /** The next one, which there may be no room for yet; undefined at the end. */
  let next = await nextOf(source);
  const startNext = (piece: ArchivePiece): boolean => {
    if (piece instanceof Uint8Array) return ahead.push({ bytes: piece, read: undefined }) > 0;
    const bytes = ring.take(piece.sizeBytes);
    if (bytes === undefined) return false;
    const read = copier.read(piece.id, bytes, { signal });
    // Whoever stops before its turn does not want it.
    read.catch(() => {});
    return ahead.push({ bytes, read }) > 0;
  };
  try {
    for (;;) {
      throwIfAborted(signal);
      while (next !== undefined && ahead.length < mostPiecesAhead && startNext(next))
        next = await nextOf(source);
      const first = ahead.shift();
      if (first === undefined) return;
      await first.read;
      yield first.bytes;
      if (first.read !== undefined) ring.give();
    }
  } finally {
    await source.return?.();
    // Threads may still write to the memory.
    await Promise.allSettled(ahead.map(({ read }) => read));
  }
}

async function nextOf(source: AsyncIterator<ArchivePiece>): Promise<ArchivePiece | undefined> {
  const { done, value } = await source.next();
  return done === true ? undefined : value;
}
