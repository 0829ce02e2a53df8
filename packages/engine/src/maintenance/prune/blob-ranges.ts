import type { ByteRange } from '../../backend/backend.ts';
import type { PackedBlob } from '../../format/pack-header.ts';

/** Bytes that nobody needs are read along rather than that a further request is made. */
const largestGapBytes = 512 * 1024;
const largestRangeBytes = 20 * 1024 * 1024;

export interface BlobRange extends ByteRange {
  readonly blobs: readonly PackedBlob[];
}

/** As few reads as get all the blobs, none much larger than a usual pack. `blobs` are in the order of their offsets. */
export function* rangesOf(blobs: readonly PackedBlob[]): Generator<BlobRange, void> {
  let inRange: PackedBlob[] = [];
  let start = 0;
  let end = 0;
  for (const blob of blobs) {
    const blobEnd = blob.offset + blob.length;
    const isNear = blob.offset - end <= largestGapBytes && blobEnd - start <= largestRangeBytes;
    if (inRange.length > 0 && !isNear) {
      yield { offset: start, length: end - start, blobs: inRange };
      inRange = [];
    }
    if (inRange.length === 0) start = blob.offset;
    inRange.push(blob);
    end = Math.max(end, blobEnd);
  }
  if (inRange.length > 0) yield { offset: start, length: end - start, blobs: inRange };
}
