import type { BlobType } from '../../format/blob-type.ts';
import type { PackId } from '../../format/ids.ts';
import { emptyPackBytes, headerEntryBytes } from '../../format/pack-header.ts';
import type { BlobIndex } from '../../index/blob-index.ts';
import { pruneRefused } from './prune-refused.ts';
import type { UsedBlobs } from './used-blobs.ts';

export const blobTypes: readonly BlobType[] = ['data', 'tree'];

/** Below this, compression may gain nothing: an empty tree would be repacked for ever. */
const worthCompressingBytes = 160;

const namedInError = 10;
const missing = -1;
const mostCopies = 255;

/**
 * What of each pack is needed, by the pack's number in the index. Of a needed blob with several copies one counts as
 * used and the others as duplicates, which are part of what is unused.
 */
export class PackUsage {
  readonly packCount: number;
  /** -1 for a pack that is not there. */
  readonly fileBytes: Float64Array;
  /** Size of the pack if the index names all that is in it. */
  readonly indexedBytes: Float64Array;
  /** Of blobs, without the header. */
  readonly usedBlobBytes: Float64Array;
  readonly unusedBlobBytes: Float64Array;
  readonly usedBlobs: Uint32Array;
  readonly unusedBlobs: Uint32Array;
  /** Copies of blobs of which there are several, whichever of them was made the used one. */
  readonly duplicateBlobs: Uint32Array;
  readonly hasData: Uint8Array;
  readonly hasTrees: Uint8Array;
  /** 1 where something is not compressed that could be. */
  readonly isUncompressed: Uint8Array;
  /** Copies of needed blobs beyond the used one. */
  furtherCopies = 0;
  furtherCopyBytes = 0;

  constructor(packCount: number) {
    this.packCount = packCount;
    this.fileBytes = new Float64Array(packCount).fill(missing);
    this.indexedBytes = new Float64Array(packCount).fill(emptyPackBytes);
    this.usedBlobBytes = new Float64Array(packCount);
    this.unusedBlobBytes = new Float64Array(packCount);
    this.usedBlobs = new Uint32Array(packCount);
    this.unusedBlobs = new Uint32Array(packCount);
    this.duplicateBlobs = new Uint32Array(packCount);
    this.hasData = new Uint8Array(packCount);
    this.hasTrees = new Uint8Array(packCount);
    this.isUncompressed = new Uint8Array(packCount);
  }

  isMissing(pack: number): boolean {
    return this.fileBytes[pack] === missing;
  }

  /** True if the pack is there with the size that it should have: its blobs may be counted on. */
  isSound(pack: number): boolean {
    return this.fileBytes[pack] === this.indexedBytes[pack];
  }

  /** Share of the pack's blobs that is needed, from 0 to 1. */
  usedShare(pack: number): number {
    const used = at(this.usedBlobBytes, pack);
    return used / (used + at(this.unusedBlobBytes, pack));
  }
}

export interface PackUsageRequest {
  readonly index: BlobIndex;
  readonly used: UsedBlobs;
  /** Sizes of the packs that are there, by their numbers in the index. */
  readonly sizes: ReadonlyMap<number, number>;
}

/** @throws HoldfastError `prune-refused` when a needed blob is in no sound pack */
export function measurePackUsage(request: PackUsageRequest): PackUsage {
  const usage = new PackUsage(request.index.packCount);
  for (const [pack, sizeBytes] of request.sizes) usage.fileBytes[pack] = sizeBytes;
  describePacks(usage, request.index);
  const countings = blobTypes.map(
    (type): Counting => ({ ...request, type, copies: countSoundCopies(usage, request, type) }),
  );
  for (const counting of countings) refuseLostBlobs(usage, counting);
  for (const counting of countings) countBlobs(usage, counting);
  for (const counting of countings) chooseAmongDuplicates(usage, counting);
  return usage;
}

function describePacks(usage: PackUsage, index: BlobIndex): void {
  for (const type of blobTypes) {
    const hasType = type === 'data' ? usage.hasData : usage.hasTrees;
    index.visitPlaces(type, (_blob, pack, _offset, length, uncompressedLength) => {
      const entryBytes = headerEntryBytes({ uncompressedLength: uncompressedLength || undefined });
      add(usage.indexedBytes, pack, length + entryBytes);
      hasType[pack] = 1;
      if (uncompressedLength === 0 && length >= worthCompressingBytes) usage.isUncompressed[pack] = 1;
    });
  }
}

/** For each needed blob, how many of its copies are in sound packs; up to 255. */
function countSoundCopies(usage: PackUsage, { index, used }: PackUsageRequest, type: BlobType): Uint8Array {
  const isNeeded = used[type];
  const copies = new Uint8Array(isNeeded.length);
  index.visitPlaces(type, (blob, pack) => {
    if (isNeeded[blob] === 0 || !usage.isSound(pack)) return;
    copies[blob] = Math.min(at(copies, blob) + 1, mostCopies);
  });
  return copies;
}

interface Counting extends PackUsageRequest {
  readonly type: BlobType;
  readonly copies: Uint8Array;
}

function refuseLostBlobs(usage: PackUsage, { index, used, type, copies }: Counting): void {
  const isLost = (blob: number): boolean => used[type][blob] === 1 && copies[blob] === 0;
  if (!used[type].some((_, blob) => isLost(blob))) return;
  const packs = new Set<number>();
  index.visitPlaces(type, (blob, pack) => {
    if (isLost(blob)) packs.add(pack);
  });
  const texts = [...packs].map((pack) => faultText(usage, index.packIdAt(pack), pack));
  const more = texts.length > namedInError ? ` and ${texts.length - namedInError} more` : '';
  throw pruneRefused(`${texts.slice(0, namedInError).join(', ')}${more}; snapshots need it.`, {
    packIds: [...packs].map((pack) => index.packIdAt(pack)),
  });
}

function faultText(usage: PackUsage, id: PackId, pack: number): string {
  if (usage.isMissing(pack)) return `pack ${id} is missing`;
  return `pack ${id} has ${at(usage.fileBytes, pack)} bytes, and should have ${at(usage.indexedBytes, pack)}`;
}

function countBlobs(usage: PackUsage, { index, used, type, copies }: Counting): void {
  index.visitPlaces(type, (blob, pack, _offset, length) => {
    const isNeeded = used[type][blob] === 1 && usage.isSound(pack);
    if (isNeeded && copies[blob] === 1) {
      usage.usedBlobs[pack] = at(usage.usedBlobs, pack) + 1;
      add(usage.usedBlobBytes, pack, length);
      return;
    }
    usage.unusedBlobs[pack] = at(usage.unusedBlobs, pack) + 1;
    add(usage.unusedBlobBytes, pack, length);
    if (!isNeeded) return;
    usage.duplicateBlobs[pack] = at(usage.duplicateBlobs, pack) + 1;
    usage.furtherCopies += 1;
    usage.furtherCopyBytes += length;
  });
}

const settled = 1;
const lastCopy = 0;

/**
 * Makes one copy of each blob that has several the used one: rather in a pack that has other used blobs, or that has
 * nothing but duplicates, as those have that an interrupted prune wrote; else the copy that comes last.
 */
function chooseAmongDuplicates(usage: PackUsage, { index, used, type, copies }: Counting): void {
  index.visitPlaces(type, (blob, pack, _offset, length) => {
    const count = at(copies, blob);
    if (used[type][blob] === 0 || count === settled || !usage.isSound(pack)) return;
    const isGoodPlace =
      at(usage.usedBlobs, pack) > 0 || usage.duplicateBlobs[pack] === usage.unusedBlobs[pack];
    if (!isGoodPlace && count !== lastCopy) {
      copies[blob] = count === 2 ? lastCopy : count - 1;
      return;
    }
    usage.usedBlobs[pack] = at(usage.usedBlobs, pack) + 1;
    usage.unusedBlobs[pack] = at(usage.unusedBlobs, pack) - 1;
    add(usage.usedBlobBytes, pack, length);
    add(usage.unusedBlobBytes, pack, -length);
    usage.furtherCopies -= 1;
    usage.furtherCopyBytes -= length;
    copies[blob] = settled;
  });
}

/** The number at an index that is known to be there. */
export function at(numbers: Float64Array | Uint32Array | Uint8Array, position: number): number {
  return numbers[position] ?? 0;
}

function add(numbers: Float64Array, position: number, amount: number): void {
  numbers[position] = at(numbers, position) + amount;
}
