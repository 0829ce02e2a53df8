import type { ByteRange } from '../backend/backend.ts';

export interface RangeLimits {
  /** Bytes that nobody needs are read along, up to so many, rather than that a further request is made. */
  readonly gapBytes: number;
  /** A range that holds more than one blob is no longer than that. */
  readonly bytes: number;
  readonly blobs?: number;
}

/** A stretch of a pack, and what is wanted of it. */
export interface BlobRange<Blob extends ByteRange> extends ByteRange {
  readonly blobs: readonly Blob[];
}

/** As few reads as get all the blobs of one pack. `blobs` are in the order of their offsets. */
export function* rangesOf<Blob extends ByteRange>(
  blobs: readonly Blob[],
  limits: RangeLimits,
): Generator<BlobRange<Blob>, void> {
  const { gapBytes, bytes, blobs: mostBlobs = Number.POSITIVE_INFINITY } = limits;
  let inRange: Blob[] = [];
  let start = 0;
  let end = 0;
  for (const blob of blobs) {
    const blobEnd = blob.offset + blob.length;
    const isNear = blob.offset - end <= gapBytes && blobEnd - start <= bytes && inRange.length < mostBlobs;
    if (inRange.length > 0 && !isNear) {
      yield { offset: start, length: end - start, blobs: inRange };
      inRange = [];
      end = 0;
    }
    if (inRange.length === 0) start = blob.offset;
    inRange.push(blob);
    end = Math.max(end, blobEnd);
  }
  if (inRange.length > 0) yield { offset: start, length: end - start, blobs: inRange };
}
