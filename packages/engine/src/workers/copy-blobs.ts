import { writeSync } from 'node:fs';
import { systemErrorCode } from '@holdfast/base';
import type { MasterKey } from '../crypto/master-key.ts';
import { dataRanges } from '../filesystem/zero-pages.ts';
import { blobSealerOf } from '../pack/blob-seal.ts';
import type { BlobCopy, BlobToCopy, RequestOf } from './operations.ts';

/** See `Operations`. */
export function copyBlobs(key: MasterKey, { sealed, blobs, sparse }: RequestOf<'copyBlobs'>): BlobCopy[] {
  const sealer = blobSealerOf(key);
  return blobs.map((blob) => {
    const { id, offset, length, uncompressedLength } = blob;
    const plaintext = sealer.open(id, {
      sealed: sealed.subarray(offset, offset + length),
      uncompressedLength,
    });
    return plaintext === undefined ? 'damaged' : writePlaintext(blob, plaintext, sparse);
  });
}

function writePlaintext({ file, position }: BlobToCopy, plaintext: Uint8Array, sparse: boolean): BlobCopy {
  const ranges = sparse ? dataRanges(plaintext) : [{ start: 0, end: plaintext.length }];
  try {
    for (const { start, end } of ranges) writeAll(file, plaintext.subarray(start, end), position + start);
    return 'copied';
  } catch (error) {
    const errorCode = systemErrorCode(error);
    if (errorCode === undefined) throw error;
    return { errorCode };
  }
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written, position + written);
  }
}
