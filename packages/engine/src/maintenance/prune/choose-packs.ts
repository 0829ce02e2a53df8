import { targetPackBytes } from '../../pack/pack-builder.ts';
import { at, type PackUsage } from './pack-usage.ts';
import type { MaxUnused, PruneOptions } from './prune-options.ts';

/** What becomes of a pack that the index names. `missing`: it is not there and not needed; the index forgets it. */
export const packFate = { keep: 0, remove: 1, repack: 2, missing: 3 } as const;

const verySmallShare = 1 / 25;
const smallShare = 4 / 5;
/** Fewer small packs than this are not worth merging, and a last one would be merged with itself for ever. */
const fewestSmallPacks = 10;

export type PackChoiceOptions = Pick<
  PruneOptions,
  | 'maxUnused'
  | 'maxRepackBytes'
  | 'repackCacheableOnly'
  | 'repackSmall'
  | 'repackSmallerThanBytes'
  | 'repackUncompressed'
>;

/**
 * Decides about each pack as restic 0.18 does: nothing needed, remove; all needed and large enough, keep; of the rest,
 * those first that waste most, repack until so little is unused that it may stay.
 */
export function choosePacks(usage: PackUsage, options: PackChoiceOptions): Uint8Array {
  const fates = new Uint8Array(usage.packCount);
  const candidates = chooseCandidates(usage, fates, options);
  const smallBytes = smallPackBytes(options);
  candidates.sort((a, b) => compareCandidates(usage, smallBytes, a, b));
  const maxUnusedBytes = unusedLimit(options.maxUnused ?? { percent: 5 }, sum(usage.usedBlobBytes));
  let unusedBytes = remainingUnusedBytes(usage, fates);
  let repackBytes = 0;
  for (const pack of candidates) {
    const packBytes = at(usage.indexedBytes, pack);
    if (repackBytes + packBytes >= (options.maxRepackBytes ?? Number.POSITIVE_INFINITY)) continue;
    const isUrgent =
      usage.hasTrees[pack] === 1 || mustCompress(usage, pack, options) || packBytes < smallBytes;
    if (!isUrgent && unusedBytes < maxUnusedBytes) continue;
    fates[pack] = packFate.repack;
    repackBytes += packBytes;
    unusedBytes -= at(usage.unusedBlobBytes, pack);
  }
  return fates;
}

/** Whether the pack is rewritten for the sake of compression. */
export function mustCompress(
  usage: PackUsage,
  pack: number,
  { repackUncompressed }: PackChoiceOptions,
): boolean {
  const isTreesOnly = usage.hasTrees[pack] === 1 && usage.hasData[pack] === 0;
  return usage.isUncompressed[pack] === 1 && (repackUncompressed === true || isTreesOnly);
}

/** Settles the packs that nothing is to be decided about; the others are returned. */
function chooseCandidates(usage: PackUsage, fates: Uint8Array, options: PackChoiceOptions): number[] {
  const candidates: number[] = [];
  const smallPacks: number[] = [];
  const smallBytes = smallPackBytes(options);
  for (let pack = 0; pack < usage.packCount; pack += 1) {
    const isMixed = usage.hasData[pack] === 1 && usage.hasTrees[pack] === 1;
    if (usage.usedBlobs[pack] === 0) {
      fates[pack] = usage.isMissing(pack) ? packFate.missing : packFate.remove;
    } else if (options.repackCacheableOnly === true && usage.hasTrees[pack] === 0) {
      fates[pack] = packFate.keep;
    } else if (usage.unusedBlobs[pack] !== 0 || isMixed || mustCompress(usage, pack, options)) {
      candidates.push(pack);
    } else if (at(usage.fileBytes, pack) < smallBytes) {
      smallPacks.push(pack);
    }
  }
  return smallPacks.length < fewestSmallPacks ? candidates : [...candidates, ...smallPacks];
}

/** Packs with trees first, then very small ones, then by the share that nobody needs. */
function compareCandidates(usage: PackUsage, smallBytes: number, a: number, b: number): number {
  const treesFirst = at(usage.hasTrees, b) - at(usage.hasTrees, a);
  if (treesFirst !== 0) return treesFirst;
  const isSmall = (pack: number): number => (at(usage.indexedBytes, pack) < smallBytes ? 1 : 0);
  const smallFirst = isSmall(b) - isSmall(a);
  return smallFirst !== 0 ? smallFirst : usage.usedShare(a) - usage.usedShare(b);
}

function smallPackBytes({ repackSmall, repackSmallerThanBytes }: PackChoiceOptions): number {
  return repackSmallerThanBytes ?? targetPackBytes * (repackSmall === true ? smallShare : verySmallShare);
}

/** A percentage is one of everything that stays, so of 95 used bytes 5 % allow 5 more. */
function unusedLimit(maxUnused: MaxUnused, usedBytes: number): number {
  if (maxUnused === 'unlimited') return Number.POSITIVE_INFINITY;
  if (typeof maxUnused === 'number') return maxUnused;
  return (maxUnused.percent / (100 - maxUnused.percent)) * usedBytes;
}

function remainingUnusedBytes(usage: PackUsage, fates: Uint8Array): number {
  return usage.unusedBlobBytes.reduce(
    (total, bytes, pack) => (isKept(fates, pack) ? total + bytes : total),
    0,
  );
}

function isKept(fates: Uint8Array, pack: number): boolean {
  return fates[pack] === packFate.keep;
}

function sum(numbers: Float64Array): number {
  return numbers.reduce((total, number) => total + number, 0);
}
