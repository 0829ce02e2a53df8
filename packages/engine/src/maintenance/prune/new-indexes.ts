import type { Abortable } from '@holdfast/base';
import type { IndexId } from '../../format/ids.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import type { IndexNotes } from './index-notes.ts';
import type { IndexWriter } from './index-writer.ts';
import { blobTypes } from './pack-usage.ts';
import { PlacesByPack } from './places-by-pack.ts';

export interface IndexReplacement {
  readonly index: BlobIndex;
  /** Of the same index files. */
  readonly indexNotes: IndexNotes;
  /** By the number of the pack in the index; false for one that the index files have to name no more. */
  isKept(pack: number): boolean;
}

/**
 * New index files carry the kept packs of the old ones that go, with what the writer has already. When it resolves, they
 * are on stable storage, and the old ones, which it returns, may be removed in that order.
 * @throws HoldfastError `repository-lock-lost`
 */
export async function writeNewIndexes(
  { index, indexNotes, isKept }: IndexReplacement,
  writer: IndexWriter,
  options: Abortable,
): Promise<readonly IndexId[]> {
  const { files, packIds } = indexNotes.filesToReplace((id) => {
    const pack = index.packNumber(id);
    return pack !== -1 && !isKept(pack);
  });
  const isCarried = new Uint8Array(index.packCount);
  for (const id of packIds) {
    const pack = index.packNumber(id);
    if (pack !== -1 && isKept(pack)) isCarried[pack] = 1;
  }
  const places = new PlacesByPack(index);
  for (const type of blobTypes) places.gather(type, (_blob, pack) => isCarried[pack] === 1);
  for (const { pack, blobs } of places.packs()) {
    await writer.add({ id: index.packIdAt(pack), blobs }, options);
  }
  await writer.flush(options);
  return files;
}
