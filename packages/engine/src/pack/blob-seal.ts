import { HoldfastError } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { type SealCipher, sealCipherOf, sealOverheadBytes } from '../crypto/seal.ts';
import { createZstdCodec, frameBoundBytes, type ZstdCodec } from '../crypto/zstd.ts';
import { frameContentBytes } from '../crypto/zstd-frame.ts';
import type { BlobId } from '../format/ids.ts';
import { Scratch } from './scratch.ts';

/** A blob's bytes as they are in a pack. */
export interface SealedBlob {
  readonly sealed: Uint8Array;
  /** Length of the plaintext, if it is compressed. */
  readonly uncompressedLength: number | undefined;
}

export interface PlainBlob {
  readonly id: BlobId;
  readonly plaintext: Uint8Array;
}

const sealers = new WeakMap<MasterKey, BlobSealer>();

/** See `BlobSealer.sealAll`. */
export function sealBlob(key: MasterKey, id: BlobId, plaintext: Uint8Array): SealedBlob {
  const [blob] = blobSealerOf(key).sealAll([{ id, plaintext }]);
  if (blob === undefined) throw new HoldfastError('internal', 'Sealing one blob gave none.');
  return blob;
}

/** The plaintext, in memory of its own; undefined if it does not prove to be the blob of this id. */
export function openBlob(key: MasterKey, id: BlobId, blob: SealedBlob): Buffer | undefined {
  const plaintext = blobSealerOf(key).open(id, blob);
  return plaintext && Buffer.from(plaintext);
}

/** One for each key and thread: it keeps the memory that it works in. */
export function blobSealerOf(key: MasterKey): BlobSealer {
  let sealer = sealers.get(key);
  if (sealer === undefined) {
    sealer = new BlobSealer(key);
    sealers.set(key, sealer);
  }
  return sealer;
}

/** What of a plaintext goes into a pack. */
interface Content {
  readonly bytes: Uint8Array;
  readonly uncompressedLength: number | undefined;
}

export class BlobSealer {
  readonly #cipher: SealCipher;
  readonly #zstd: ZstdCodec = createZstdCodec();
  readonly #frames = new Scratch();
  readonly #opened = new Scratch();
  readonly #plaintexts = new Scratch();

  constructor(key: MasterKey) {
    this.#cipher = sealCipherOf(key);
  }

  /**
   * Compresses each plaintext if that makes it smaller, seals it, and opens it again: what memory or processor spoilt
   * on the way never reaches a pack. The sealed blobs are in a row, in `into` if it is given: it has to have room for
   * every plaintext and the overhead of sealing.
   * @throws HoldfastError `internal` when a sealed blob does not open to the plaintext of its id
   */
  sealAll(blobs: readonly PlainBlob[], into?: Uint8Array): SealedBlob[] {
    const contents = this.#compressAll(blobs);
    const totalBytes = contents.reduce((total, { bytes }) => total + bytes.length + sealOverheadBytes, 0);
    const memory = into ?? Buffer.allocUnsafeSlow(totalBytes);
    let offset = 0;
    return contents.map(({ bytes, uncompressedLength }, at) => {
      const sealed = memory.subarray(offset, offset + bytes.length + sealOverheadBytes);
      offset += sealed.length;
      this.#cipher.seal(bytes, sealed);
      const blob = { sealed, uncompressedLength };
      const id = blobs[at]?.id;
      if (id === undefined || this.open(id, blob) === undefined) throw spoilt(id);
      return blob;
    });
  }

  /**
   * The plaintext; undefined if it does not prove to be the blob of this id.
   * It is in memory that the next call uses again.
   */
  open(id: BlobId, { sealed, uncompressedLength }: SealedBlob): Uint8Array | undefined {
    if (sealed.length < sealOverheadBytes) return undefined;
    const opened = this.#opened.take(sealed.length - sealOverheadBytes);
    if (!this.#cipher.open(sealed, opened)) return undefined;
    const plaintext =
      uncompressedLength === undefined ? opened : this.#decompress(opened, uncompressedLength);
    return plaintext !== undefined && sha256(plaintext) === id ? plaintext : undefined;
  }

  #decompress(frame: Uint8Array, sizeBytes: number): Uint8Array | undefined {
    // An index that claims too much must not get the memory for it.
    if ((frameContentBytes(frame) ?? sizeBytes) !== sizeBytes) return undefined;
    const plaintext = this.#plaintexts.take(sizeBytes);
    return this.#zstd.decompress(frame, plaintext) === sizeBytes ? plaintext : undefined;
  }

  #compressAll(blobs: readonly PlainBlob[]): Content[] {
    const boundBytes = blobs.reduce((total, { plaintext }) => total + frameBoundBytes(plaintext.length), 0);
    let room = this.#frames.take(boundBytes);
    return blobs.map(({ plaintext }) => {
      const length = this.#zstd.compress(plaintext, room);
      if (length === -1 || length >= plaintext.length)
        return { bytes: plaintext, uncompressedLength: undefined };
      const bytes = room.subarray(0, length);
      room = room.subarray(length);
      return { bytes, uncompressedLength: plaintext.length };
    });
  }
}

function spoilt(id: BlobId | undefined): HoldfastError {
  return new HoldfastError('internal', 'A blob did not survive being sealed: nothing of it was written.', {
    hint: 'This machine computes or remembers wrongly. Test its memory.',
    context: { blobId: id ?? null },
  });
}
