import { HoldfastError } from '@holdfast/base';
import { compress, decompress } from '../crypto/compression.ts';
import { sha256 } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { seal, unseal } from '../crypto/seal.ts';
import type { BlobId } from '../format/ids.ts';

/** A blob's bytes as they are in a pack. */
export interface SealedBlob {
  readonly sealed: Buffer;
  /** Length of the plaintext, if it is compressed. */
  readonly uncompressedLength: number | undefined;
}

/**
 * Compresses the plaintext if that makes it smaller, seals it, and opens it again: what memory or processor spoilt on
 * the way never reaches a pack.
 * @throws HoldfastError `internal` when the sealed blob does not open to the plaintext of this id
 */
export function sealBlob(key: MasterKey, id: BlobId, plaintext: Uint8Array): SealedBlob {
  const frame = compress(plaintext);
  const blob =
    frame.length < plaintext.length
      ? { sealed: seal(key, frame), uncompressedLength: plaintext.length }
      : { sealed: seal(key, plaintext), uncompressedLength: undefined };
  if (openBlob(key, id, blob) === undefined) {
    throw new HoldfastError('internal', 'A blob did not survive being sealed: nothing of it was written.', {
      hint: 'This machine computes or remembers wrongly. Test its memory.',
      context: { blobId: id },
    });
  }
  return blob;
}

/** The plaintext; undefined if it does not prove to be the blob of this id. */
export function openBlob(key: MasterKey, id: BlobId, blob: SealedBlob): Buffer | undefined {
  const opened = unseal(key, blob.sealed);
  if (opened === undefined) return undefined;
  const plaintext =
    blob.uncompressedLength === undefined ? opened : decompress(opened, blob.uncompressedLength);
  return plaintext !== undefined && sha256(plaintext) === id ? plaintext : undefined;
}
