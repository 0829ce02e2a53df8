import type { SealedBlob } from '../pack/blob-seal.ts';
import type { SealedPlace } from './operations.ts';

/** Hands each sealed blob to its taker; returns what they return. */
export function takeSealed(
  memory: Uint8Array,
  places: readonly SealedPlace[],
  takers: readonly ((blob: SealedBlob) => unknown)[],
): unknown[] {
  let offset = 0;
  return places.map(({ lengthBytes, uncompressedLength }, at) => {
    const sealed = memory.subarray(offset, offset + lengthBytes);
    offset += lengthBytes;
    return takers[at]?.({ sealed, uncompressedLength });
  });
}
