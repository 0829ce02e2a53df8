import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { systemErrorCode } from '@holdfast/base';

export const defaultCompressionLevel = 3;

/** One zstd frame. */
export function compress(bytes: Uint8Array, level: number = defaultCompressionLevel): Buffer {
  return zstdCompressSync(bytes, {
    // A chunk that holds the whole result spares a copy and is several times faster.
    chunkSize: Math.max(1024, bytes.length + (bytes.length >> 7) + 512),
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
}

/** undefined if it is no zstd frame, or its contents are longer than `maxSizeBytes`: memory stays bounded by that. */
export function decompress(frame: Uint8Array, maxSizeBytes: number): Buffer | undefined {
  try {
    return zstdDecompressSync(frame, {
      chunkSize: chunkSizeFor(frame, maxSizeBytes),
      maxOutputLength: Math.max(1, maxSizeBytes),
    });
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** The whole result where its length is known: blobs. Elsewhere a guess, for the buffer lives as long as the result. */
function chunkSizeFor(frame: Uint8Array, maxSizeBytes: number): number {
  const guess = maxSizeBytes <= 16 * 1024 * 1024 ? maxSizeBytes + 64 : frame.length * 8;
  return Math.min(Math.max(guess, 1024), 16 * 1024 * 1024);
}

function isDamage(error: unknown): boolean {
  const code = systemErrorCode(error) ?? '';
  return code === 'ERR_BUFFER_TOO_LARGE' || code === 'Z_BUF_ERROR' || code.startsWith('ZSTD_error_');
}
