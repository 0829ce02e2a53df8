import { HoldfastError } from '@holdfast/base';
import type { PackId } from '../../format/ids.ts';
import type { Repository } from '../../repository/repository.ts';
import type { LockedOptions } from '../../repository/snapshot-store.ts';
import { IndexNotes } from '../prune/index-notes.ts';
import { IndexWriter } from '../prune/index-writer.ts';
import { writeNewIndexes } from '../prune/new-indexes.ts';
import { removeFiles } from '../prune/remove-files.ts';
import { driftedPacks } from './find-drift.ts';

export interface DropResult {
  /** Of the packs that were given, those that an index named and that are not there as it said. */
  readonly packsDropped: number;
  readonly indexesWritten: number;
  readonly indexesRemoved: number;
}

/**
 * Makes the indexes name these packs no more, so that the next backup stores again what they held. Packs are listed once
 * more: one that is there as the index says, such as after its disk came back, stays in it. New index files
 * are on stable storage before the first old one goes: killed at any moment, blobs are named twice or packs still named,
 * and doing it again completes it. Nothing else is removed: of a pack that is there, a prune takes the file.
 *
 * Needs an exclusive lock. The repository's `blobs` know nothing afterwards, until the next `refreshIndex`.
 *
 * @throws HoldfastError `usage-invalid` for a shared lock; `repository-lock-lost`; `repository-damaged` when an index
 *   cannot be read: then nothing was changed
 */
export async function dropFromIndex(
  repository: Repository,
  packs: readonly PackId[],
  { lock, signal: givenSignal }: LockedOptions,
): Promise<DropResult> {
  if (lock.kind !== 'exclusive') {
    throw new HoldfastError(
      'usage-invalid',
      'To rewrite the index of a repository needs an exclusive lock of it.',
    );
  }
  const { indexes, files, backend } = repository.storage;
  const signal = AbortSignal.any(givenSignal ? [givenSignal, lock.signal] : [lock.signal]);
  await lock.confirm({ signal });
  const indexNotes = new IndexNotes();
  indexes.clear();
  try {
    await indexes.refresh({ signal, onLoaded: (id, file) => indexNotes.note(id, file) });
    const index = indexes.current;
    const given = new Set(packs);
    const drifted = await driftedPacks(repository, index, { signal });
    const dropped = new Set(drifted.filter(({ id }) => given.has(id)).map(({ id }) => index.packNumber(id)));
    if (dropped.size === 0) return { packsDropped: 0, indexesWritten: 0, indexesRemoved: 0 };
    const writer = new IndexWriter(files, lock);
    const replacement = { index, indexNotes, isKept: (pack: number) => !dropped.has(pack) };
    const replaced = await writeNewIndexes(replacement, writer, { signal });
    await removeFiles(
      backend,
      replaced.map((id) => ({ kind: 'index', id })),
      { lock, signal },
    );
    return {
      packsDropped: dropped.size,
      indexesWritten: writer.fileCount,
      indexesRemoved: replaced.length,
    };
  } finally {
    indexes.clear();
  }
}
