import { HoldfastError, throwIfAborted } from '@holdfast/base';
import { asId } from '../../format/id-codec.ts';
import type { PackId } from '../../format/ids.ts';
import { emptyPackBytes } from '../../format/pack-header.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import { BlobSource } from '../../repository/blob-source.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot-store.ts';
import { choosePacks, mustCompress, packFate } from './choose-packs.ts';
import { IndexNotes } from './index-notes.ts';
import { at, blobTypes, measurePackUsage, type PackUsage } from './pack-usage.ts';
import { PlacesByPack } from './places-by-pack.ts';
import type { PruneOptions } from './prune-options.ts';
import { type PackOnStorage, type PruneFigures, PrunePlan } from './prune-plan.ts';
import { pruneRefused, refuseOnDamage } from './prune-refused.ts';
import type { PackToRepack } from './repacker.ts';
import { findUsedBlobs, type UsedBlobs } from './used-blobs.ts';

/** What was just read of the repository. */
interface Survey {
  readonly index: BlobIndex;
  readonly indexNotes: IndexNotes;
  readonly snapshotCount: number;
  readonly used: UsedBlobs;
  readonly usage: PackUsage;
  readonly unreferenced: readonly PackOnStorage[];
}

/**
 * Reads every snapshot, every index and every tree, and finds out which packs hold what nobody needs. Changes nothing.
 *
 * @throws HoldfastError `prune-refused` when a snapshot, an index, a tree, or a pack that is needed is missing or
 *   cannot be read; `usage-invalid` without an exclusive lock; `repository-lock-lost`
 */
export async function planPrune(repository: Repository, options: PruneOptions): Promise<PrunePlan> {
  const { lock } = options;
  if (lock.kind !== 'exclusive') {
    throw new HoldfastError('usage-invalid', 'To prune a repository needs an exclusive lock of it.');
  }
  lock.assertHeld();
  const survey = await refuseOnDamage(() => surveyRepository(repository, options));
  const { index, usage, unreferenced } = survey;
  const fates = choosePacks(usage, options);
  const copies = blobsToCopy(survey, fates);
  const figures = figuresOf(survey, fates, copies);
  if (options.withoutSnapshots !== undefined) return new PrunePlan(figures, undefined);
  return new PrunePlan(figures, {
    repository,
    lock,
    index,
    indexNotes: survey.indexNotes,
    fates,
    forgetsPacks: survey.indexNotes.hasSuperseded || fates.some((fate) => fate !== packFate.keep),
    repackCount: figures.packs.repacked,
    toRepack: () => packsToRepack(survey, copies, options),
    toRemove: [...unreferenced, ...packsToRemove(survey, fates)],
  });
}

async function surveyRepository(repository: Repository, options: PruneOptions): Promise<Survey> {
  const { signal, onProgress } = options;
  const snapshots = await readSnapshots(repository, options);
  onProgress?.({ step: 'snapshots', done: snapshots.length, total: snapshots.length });
  const { storage } = repository;
  const indexNotes = new IndexNotes();
  storage.indexes.clear();
  await storage.indexes.refresh({ signal, onLoaded: (id, file) => indexNotes.note(id, file) });
  const index = storage.indexes.current;
  const used = await findUsedBlobs({
    index,
    blobs: new BlobSource(storage),
    roots: snapshots.map(({ tree }) => tree),
    onTree: (done) => onProgress?.({ step: 'trees', done, total: undefined }),
    signal,
  });
  const { sizes, unreferenced } = await listPacks(repository, index, options);
  const usage = measurePackUsage({ index, used, sizes });
  return { index, indexNotes, snapshotCount: snapshots.length, used, usage, unreferenced };
}

/** One that cannot be read may need anything. */
async function readSnapshots(
  repository: Repository,
  { withoutSnapshots, signal }: PruneOptions,
): Promise<readonly Snapshot[]> {
  const { snapshots, damaged } = await repository.snapshots.list({ signal });
  const [first] = damaged;
  if (first !== undefined) {
    throw pruneRefused(first.error.message, { snapshotIds: damaged.map(({ id }) => id) }, first.error);
  }
  return snapshots.filter(({ id }) => withoutSnapshots?.has(id) !== true);
}

interface ListedPacks {
  readonly sizes: ReadonlyMap<number, number>;
  readonly unreferenced: readonly PackOnStorage[];
}

async function listPacks(
  repository: Repository,
  index: BlobIndex,
  { signal, onProgress }: PruneOptions,
): Promise<ListedPacks> {
  const sizes = new Map<number, number>();
  const unreferenced: PackOnStorage[] = [];
  let done = 0;
  for await (const { id: name, sizeBytes } of repository.storage.backend.list('data', { signal })) {
    throwIfAborted(signal);
    const id = asId<PackId>(name);
    const pack = index.packNumber(id);
    if (pack === -1) unreferenced.push({ id, sizeBytes });
    else sizes.set(pack, sizeBytes);
    done += 1;
    onProgress?.({ step: 'packs', done, total: index.packCount });
  }
  return { sizes, unreferenced };
}

/** The needed blobs that are in no pack that stays, one copy of each. */
function blobsToCopy({ index, used, usage }: Survey, fates: Uint8Array): PlacesByPack {
  const places = new PlacesByPack(index);
  for (const type of blobTypes) {
    const isWanted = Uint8Array.from(used[type]);
    index.visitPlaces(type, (blob, pack) => {
      if (fates[pack] === packFate.keep && usage.isSound(pack)) isWanted[blob] = 0;
    });
    places.gather(type, (blob, pack) => {
      const isTaken = isWanted[blob] === 1 && fates[pack] === packFate.repack;
      if (isTaken) isWanted[blob] = 0;
      return isTaken;
    });
  }
  return places;
}

function* packsToRepack(
  { index, usage }: Survey,
  copies: PlacesByPack,
  options: PruneOptions,
): Generator<PackToRepack, void> {
  for (const { pack, blobs } of copies.packs()) {
    yield { id: index.packIdAt(pack), blobs, mustCompress: mustCompress(usage, pack, options) };
  }
}

function packsToRemove({ index, usage }: Survey, fates: Uint8Array): PackOnStorage[] {
  const packs: PackOnStorage[] = [];
  for (const [pack, fate] of fates.entries()) {
    if (fate !== packFate.remove && fate !== packFate.repack) continue;
    packs.push({ id: index.packIdAt(pack), sizeBytes: at(usage.fileBytes, pack) });
  }
  return packs;
}

function figuresOf(survey: Survey, fates: Uint8Array, copies: PlacesByPack): PruneFigures {
  const { usage, unreferenced } = survey;
  const packs = { kept: 0, removed: 0, repacked: 0, unreferenced: unreferenced.length, missing: 0 };
  const blobs = { used: 0, unused: 0, duplicate: usage.furtherCopies, repacked: copies.size };
  const unreferencedBytes = unreferenced.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const bytes = { used: 0, unused: 0, duplicate: usage.furtherCopyBytes, repacked: copies.contentBytes };
  const newBytes = copies.size === 0 ? 0 : copies.contentBytes + copies.headerBytes + emptyPackBytes;
  let [packBytes, keptBytes, unusedAfter] = [unreferencedBytes, 0, 0];
  for (const [pack, fate] of fates.entries()) {
    blobs.used += at(usage.usedBlobs, pack);
    blobs.unused += at(usage.unusedBlobs, pack);
    bytes.used += at(usage.usedBlobBytes, pack);
    bytes.unused += at(usage.unusedBlobBytes, pack);
    packBytes += Math.max(0, at(usage.fileBytes, pack));
    if (fate === packFate.keep) {
      packs.kept += 1;
      keptBytes += at(usage.fileBytes, pack);
      unusedAfter += at(usage.unusedBlobBytes, pack);
    } else if (fate === packFate.remove) packs.removed += 1;
    else if (fate === packFate.missing) packs.missing += 1;
    else packs.repacked += 1;
  }
  const remaining = keptBytes + newBytes;
  return {
    snapshots: survey.snapshotCount,
    packs,
    blobs,
    bytes: {
      ...bytes,
      unreferenced: unreferencedBytes,
      freed: packBytes - remaining,
      remaining,
      unusedAfter,
    },
  };
}
