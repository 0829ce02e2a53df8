import { type ArchiveItem, archiveItems } from './archive-items.ts';
import type { ArchivePiece, LatePiece } from './read-pieces.ts';
import type { TarPiecesRequest } from './tar-pieces.ts';
import { zipRules } from './zip-header.ts';

/** Where an entry begins: what follows, up to the next, is its content. */
export interface ZipEntryStart extends LatePiece {
  readonly begins: ArchiveItem;
}

const nothing = new Uint8Array();

/** The entries of a zip archive, with their contents not packed yet. @throws HoldfastError as `tarPieces` */
export async function* zipPieces(
  request: TarPiecesRequest,
): AsyncGenerator<ArchivePiece | ZipEntryStart, void> {
  for await (const begins of archiveItems({ ...request, rules: zipRules })) {
    yield { begins, make: () => nothing };
    yield* begins.content;
  }
}
