import type { ArchiveContents, ArchiveItemsRequest } from './archive-items.ts';
import { archiveItems } from './archive-items.ts';
import type { ArchivePiece } from './read-pieces.ts';
import { tarContentBytes, tarEnd, tarHeader, tarPadding, tarRules } from './tar-header.ts';

export type TarPiecesRequest = ArchiveContents & Pick<ArchiveItemsRequest, 'blobs' | 'signal'>;

/**
 * A tar archive of the members. Names of one inode after the first are hard links; sockets are left out, as tar does.
 * @throws HoldfastError `blob-missing`, `repository-damaged`, `target-unsafe`, and whatever the members reject with
 */
export async function* tarPieces(request: TarPiecesRequest): AsyncGenerator<ArchivePiece, void> {
  for await (const item of archiveItems({ ...request, rules: tarRules })) {
    yield tarHeader(item);
    yield* item.content;
    const filling = tarPadding(tarContentBytes(item));
    if (filling.length > 0) yield filling;
  }
  yield tarEnd();
}
