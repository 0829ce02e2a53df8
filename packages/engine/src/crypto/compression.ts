import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { frameBoundBytes, isZstdDamage, zstdParameters } from './zstd.ts';

/** One zstd frame. For documents; blobs go through a `ZstdCodec`. */
export function compress(bytes: Uint8Array): Buffer {
  // A chunk that holds the whole result spares a copy and is several times faster.
  return zstdCompressSync(bytes, { chunkSize: frameBoundBytes(bytes.length), params: zstdParameters });
}

/** undefined if it is no zstd frame, or its contents are longer than `maxSizeBytes`: memory stays bounded by that. */
export function decompress(frame: Uint8Array, maxSizeBytes: number): Buffer | undefined {
  try {
    return zstdDecompressSync(frame, {
      chunkSize: chunkSizeFor(frame, maxSizeBytes),
      maxOutputLength: Math.max(1, maxSizeBytes),
    });
  } catch (error) {
    if (isZstdDamage(error)) return undefined;
    throw error;
  }
}

/** The whole result where its length is known. Elsewhere a guess, for the buffer lives as long as the result. */
function chunkSizeFor(frame: Uint8Array, maxSizeBytes: number): number {
  const guess = maxSizeBytes <= 16 * 1024 * 1024 ? maxSizeBytes + 64 : frame.length * 8;
  return Math.min(Math.max(guess, 1024), 16 * 1024 * 1024);
}
