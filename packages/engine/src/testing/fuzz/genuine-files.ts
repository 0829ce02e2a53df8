import { compress } from '../../crypto/compression.ts';
import { sha256 } from '../../crypto/hash.ts';
import { seal } from '../../crypto/seal.ts';
import { checkRepository } from '../../maintenance/check.ts';
import type { SealedFileKind } from '../../repository/sealed-files.ts';
import type { TestRepository } from '../test-repository.ts';
import { type FuzzTarget, isCoded } from './fuzz-targets.ts';
import * as samples from './samples.ts';

const kinds = {
  snapshot: samples.snapshots,
  index: samples.indexes,
  lock: samples.locks,
} as const satisfies Readonly<Record<SealedFileKind, readonly Buffer[]>>;

/**
 * Files that somebody who has the key wrote into a repository, with anything in them: all that looks at the repository
 * ends with a coded error or well, and the repository is as before when they are gone.
 */
export function genuineFileTargets(place: TestRepository): FuzzTarget[] {
  return Object.entries(kinds).map(([kind, documents]) => ({
    name: `genuine ${kind} in a repository`,
    samples: documents.flatMap((json) => [json, Buffer.concat([Buffer.of(2), compress(json)])]),
    feed: (bytes) => useWith(place, kind as SealedFileKind, bytes),
  }));
}

async function useWith({ repository }: TestRepository, kind: SealedFileKind, bytes: Buffer): Promise<void> {
  const { backend, key } = repository.storage;
  const file = seal(key, bytes);
  const id = sha256(file);
  await backend.save({ kind, id }, [file]);
  await endsWell(() => repository.snapshots.list());
  await endsWell(() => repository.snapshots.find('latest'));
  await endsWell(() => repository.refreshIndex());
  await endsWell(() => Array.fromAsync(checkRepository(repository, { readData: true })));
  await endsWell(async () => {
    await using _lock = await repository.lock('exclusive');
  });
  await backend.remove({ kind, id });
  repository.storage.indexes.clear();
  await repository.refreshIndex();
  await using _lock = await repository.lock('exclusive');
}

async function endsWell(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isCoded(error)) throw error;
  }
}
