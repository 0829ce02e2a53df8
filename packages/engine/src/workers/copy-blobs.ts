import { systemErrorCode } from '@holdfast/base';
import type { MasterKey } from '../crypto/master-key.ts';
import { makeFile } from '../filesystem/make-file.ts';
import { type WriteOptions, writeBytes } from '../filesystem/write-bytes.ts';
import { blobSealerOf } from '../pack/blob-seal.ts';
import type { BlobCopy, BlobDestination, RequestOf, SharedPlace } from './operations.ts';

/** See `Operations`. */
export function copyBlobs(key: MasterKey, { sealed, blobs, options }: RequestOf<'copyBlobs'>): BlobCopy[] {
  const sealer = blobSealerOf(key);
  return blobs.map(({ id, offset, length, uncompressedLength, to }) => {
    const plaintext = sealer.open(id, {
      sealed: sealed.subarray(offset, offset + length),
      uncompressedLength,
    });
    if (plaintext === undefined) return 'damaged';
    if (!('memory' in to)) return copyTo(to, plaintext, options);
    if (plaintext.length !== to.memory.length) return 'damaged';
    to.memory.set(plaintext);
    return 'copied';
  });
}

function copyTo(
  to: Exclude<BlobDestination, SharedPlace>,
  plaintext: Uint8Array,
  options: WriteOptions,
): BlobCopy {
  try {
    if ('file' in to) writeBytes(to.file, plaintext, { ...options, position: to.position });
    else {
      const metadataFailures = makeFile(to, plaintext, options);
      if (metadataFailures.length > 0) return { metadataFailures };
    }
    return 'copied';
  } catch (error) {
    const errorCode = systemErrorCode(error);
    if (errorCode === undefined) throw error;
    return { errorCode };
  }
}
