import { readSync } from 'node:fs';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { sha256 } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import { blobSealerOf, type PlainBlob, type SealedBlob } from '../pack/blob-seal.ts';
import type { AnswerOf, FileToHash, HeldBlob, OperationName, RequestOf, SealedBatch } from './operations.ts';

/** The work itself, as it is done in a worker's thread; see `Operations`. */
export type WorkerOperations = {
  readonly [Name in OperationName]: (request: RequestOf<Name>) => AnswerOf<Name>;
};

type Batch = readonly (PlainBlob | undefined)[];

export function workerOperations(key: MasterKey): WorkerOperations {
  const held = new Map<number, Batch>();
  const seal = (blobs: readonly PlainBlob[]): SealedBatch => toBatch(blobSealerOf(key).sealAll(blobs));
  return {
    hashFiles({ hold, files }) {
      const read = readAll(files);
      held.set(
        hold,
        read.map((blob) => ('id' in blob ? blob : undefined)),
      );
      return read.map((blob): HeldBlob => {
        return 'id' in blob ? { id: blob.id, sizeBytes: blob.plaintext.length } : blob;
      });
    },
    hashBytes({ hold, bytes }) {
      const id = asId<BlobId>(sha256(bytes));
      held.set(hold, [{ id, plaintext: bytes }]);
      return id;
    },
    sealHeld({ hold, chosen }) {
      const batch = held.get(hold) ?? [];
      held.delete(hold);
      return seal(chosen.map((position) => batch[position] ?? neverHeld()));
    },
    sealBytes({ blobs }) {
      return seal(blobs);
    },
  };
}

function readAll(files: readonly FileToHash[]): (PlainBlob | { readonly errorCode: string })[] {
  let room = Buffer.allocUnsafeSlow(files.reduce((total, { sizeBytes }) => total + sizeBytes, 0));
  return files.map(({ file, sizeBytes }) => {
    try {
      const plaintext = room.subarray(0, readUpTo(file, room.subarray(0, sizeBytes)));
      room = room.subarray(plaintext.length);
      return { id: asId<BlobId>(sha256(plaintext)), plaintext };
    } catch (error) {
      const errorCode = systemErrorCode(error);
      if (errorCode === undefined) throw error;
      return { errorCode };
    }
  });
}

function readUpTo(file: number, into: Buffer): number {
  let filled = 0;
  while (filled < into.length) {
    const bytesRead = readSync(file, into, filled, into.length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

function toBatch(blobs: readonly SealedBlob[]): SealedBatch {
  const [first] = blobs;
  return {
    memory: first === undefined ? new Uint8Array(0) : new Uint8Array(first.sealed.buffer),
    places: blobs.map(({ sealed, uncompressedLength }) => ({
      lengthBytes: sealed.length,
      uncompressedLength,
    })),
  };
}

function neverHeld(): never {
  throw new HoldfastError('internal', 'A worker was asked to seal what it does not hold.');
}
