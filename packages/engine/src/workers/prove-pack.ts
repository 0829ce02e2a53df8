import { isHoldfastError } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { blobSealerOf } from '../pack/blob-seal.ts';
import { parsePackHeader } from '../pack/pack-reader.ts';
import type { PackProof, RequestOf } from './operations.ts';

/** See `Operations`. */
export function provePack(key: MasterKey, { id, pack }: RequestOf<'provePack'>): PackProof {
  const file = Buffer.from(pack.buffer, pack.byteOffset, pack.length);
  try {
    const blobs = parsePackHeader(key, id, file);
    const sealer = blobSealerOf(key);
    for (const { type, id: blobId, offset, length, uncompressedLength } of blobs) {
      const sealed = file.subarray(offset, offset + length);
      if (sealer.open(blobId, { sealed, uncompressedLength }) === undefined) {
        return { reason: `the ${type} blob ${blobId} in it is damaged` };
      }
    }
    return sha256(file) === id ? { blobs } : { reason: 'its contents do not match its name' };
  } catch (error) {
    if (isHoldfastError(error, 'repository-damaged')) return { reason: error.message };
    throw error;
  }
}
