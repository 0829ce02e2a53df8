import { HoldfastError, systemErrorCode } from '@holdfast/base';
import { BlockPrinter } from '../crypto/block-printer.ts';
import { sha256, sha256OfParts } from '../crypto/hash.ts';
import type { MasterKey } from '../crypto/master-key.ts';
import { readUpTo } from '../filesystem/read-up-to.ts';
import { asId } from '../format/id-codec.ts';
import type { BlobId } from '../format/ids.ts';
import { blobSealerOf, type PlainBlob, type SealedBlob } from '../pack/blob-seal.ts';
import { copyBlobs } from './copy-blobs.ts';
import type { AnswerOf, FileToHash, HeldBlob, OperationName, RequestOf, SealedPlace } from './operations.ts';
import { printBlocks } from './print-blocks.ts';
import { provePack } from './prove-pack.ts';
import { SpareMemory } from './spare-memory.ts';

/** The work itself, as it is done in a worker's thread; see `Operations`. */
export type WorkerOperations = {
  readonly [Name in OperationName]: (request: RequestOf<Name>) => AnswerOf<Name>;
};

/** Files that were read and wait for the word to seal them. */
interface Held {
  readonly blobs: readonly (PlainBlob | undefined)[];
  /** Where their plaintexts are, if it is this thread's own. */
  readonly memory: Buffer | undefined;
}

export function workerOperations(key: MasterKey): WorkerOperations {
  const held = new Map<number, Held>();
  const memory = new SpareMemory();
  let printer: BlockPrinter | undefined;
  return {
    hashFiles({ hold, files }) {
      const room = memory.take(files.reduce((total, { sizeBytes }) => total + sizeBytes, 0));
      const read = readAll(files, room);
      held.set(hold, { blobs: read.map((blob) => ('id' in blob ? blob : undefined)), memory: room });
      return read.map((blob): HeldBlob => {
        return 'id' in blob ? { id: blob.id, sizeBytes: blob.plaintext.length } : blob;
      });
    },
    hashBytes({ hold, bytes }) {
      const id = asId<BlobId>(sha256(bytes));
      held.set(hold, { blobs: [{ id, plaintext: bytes }], memory: undefined });
      return id;
    },
    sealHeld({ hold, chosen, into }) {
      const batch = held.get(hold);
      held.delete(hold);
      const blobs = chosen.map((position) => batch?.blobs[position] ?? neverHeld());
      const sealed = blobs.length === 0 ? [] : blobSealerOf(key).sealAll(blobs, into);
      if (batch?.memory !== undefined) memory.give(batch.memory);
      return places(sealed);
    },
    sealBytes({ plaintexts, blobs, into }) {
      let offset = 0;
      const plain = blobs.map(({ id, sizeBytes }) => {
        offset += sizeBytes;
        return { id, plaintext: plaintexts.subarray(offset - sizeBytes, offset) };
      });
      return places(blobSealerOf(key).sealAll(plain, into));
    },
    copyBlobs: (request) => {
      const copies = copyBlobs(key, request);
      free(request.sealed);
      return copies;
    },
    hashParts: ({ parts }) => sha256OfParts(parts),
    printBlocks: (request) => {
      printer ??= new BlockPrinter(key);
      return printBlocks(printer, request);
    },
    provePack: (request) => {
      const proof = provePack(key, request);
      free(request.pack);
      return proof;
    },
  };
}

/** What was posted to this thread is its own; left to be collected, it would wait for long: the heap is small. */
function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

function readAll(
  files: readonly FileToHash[],
  memory: Buffer,
): (PlainBlob | { readonly errorCode: string })[] {
  let room = memory;
  return files.map(({ file, sizeBytes }) => {
    try {
      const plaintext = room.subarray(0, readUpTo(file, room.subarray(0, sizeBytes), 0));
      room = room.subarray(plaintext.length);
      return { id: asId<BlobId>(sha256(plaintext)), plaintext };
    } catch (error) {
      const errorCode = systemErrorCode(error);
      if (errorCode === undefined) throw error;
      return { errorCode };
    }
  });
}

function places(blobs: readonly SealedBlob[]): SealedPlace[] {
  return blobs.map(({ sealed, uncompressedLength }) => ({ lengthBytes: sealed.length, uncompressedLength }));
}

function neverHeld(): never {
  throw new HoldfastError('internal', 'A worker was asked to seal what it does not hold.');
}
