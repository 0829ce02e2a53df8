import type { ErrorReport } from '@holdfast/base';
import type { MetadataFailure, NewFile } from '../filesystem/make-file.ts';
import type { WriteOptions } from '../filesystem/write-bytes.ts';
import type { BlobId, PackId } from '../format/ids.ts';
import type { MasterKeyBytes } from '../format/key-file.ts';
import type { PackedBlob } from '../format/pack-header.ts';

/** An open file of this process, to be read from its start up to that size. */
export interface FileToHash {
  readonly file: number;
  readonly sizeBytes: number;
}

/** A blob whose plaintext the worker keeps until it is told to seal or to drop it; or why the file could not be read. */
export type HeldBlob = { readonly id: BlobId; readonly sizeBytes: number } | { readonly errorCode: string };

/** A sealed blob's place: the blobs of an answer are in a row in the memory that came with the request. */
export interface SealedPlace {
  readonly lengthBytes: number;
  readonly uncompressedLength: number | undefined;
}

/** A place in an open file of this process. */
export interface FilePosition {
  readonly file: number;
  readonly position: number;
}

/** Memory that all threads see, as long as the plaintext. */
export interface SharedPlace {
  readonly memory: Uint8Array;
}

/** Where a blob's plaintext belongs: into an open file, into a file of its own, or into memory. */
export type BlobDestination = FilePosition | NewFile | SharedPlace;

/** A blob in a stretch of a pack. */
export interface BlobToCopy {
  readonly id: BlobId;
  /** Within the stretch. */
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number | undefined;
  readonly to: BlobDestination;
}

/** What became of a blob that was to be copied; a system error is that of the file written to. */
export type BlobCopy =
  | 'copied'
  | 'damaged'
  | { readonly errorCode: string }
  /** Copied into a file of its own that lacks something. */
  | { readonly metadataFailures: readonly MetadataFailure[] };

/** The blobs that a sound pack holds, or what is wrong with it. */
export type PackProof = { readonly blobs: readonly PackedBlob[] } | { readonly reason: string };

/** A stretch of an open file of this process that begins at a block's start, and what is known of its blocks. */
export interface BlocksToPrint {
  readonly file: number;
  readonly start: number;
  /** The stretch ends here, or at the end of the file if that comes first. */
  readonly end: number;
  /** True to ask where its holes are, and not to read those. */
  readonly isSparse: boolean;
  /** The prints that the stretch's blocks had, in a row; it may end before. */
  readonly known?: Uint8Array | undefined;
  /** An open file that gets the blocks that have other prints now, at their places. */
  readonly copyTo?: number | undefined;
}

/** The prints of a stretch's blocks in a row, or why it could not be read or copied. */
export type BlockPrints =
  | {
      readonly endsAt: number;
      readonly prints: Uint8Array;
      /** Numbers within the file of blocks whose prints are not those that were known. */
      readonly changed: readonly number[];
    }
  | { readonly errorCode: string };

/** What a worker does when it is asked: each operation's request and answer, as they are posted. */
export interface Operations {
  /** Reads files and hashes them. What they hold stays with the worker as batch `hold`. */
  hashFiles: {
    readonly request: { readonly hold: number; readonly files: readonly FileToHash[] };
    readonly answer: readonly HeldBlob[];
  };
  /** Hashes memory that is shared or was copied, and keeps it as batch `hold` of one. */
  hashBytes: {
    readonly request: { readonly hold: number; readonly bytes: Uint8Array };
    readonly answer: BlobId;
  };
  /** Seals the chosen blobs of a held batch, by their positions in it, into shared memory, and drops the batch. */
  sealHeld: {
    readonly request: {
      readonly hold: number;
      readonly chosen: readonly number[];
      readonly into: Uint8Array | undefined;
    };
    readonly answer: readonly SealedPlace[];
  };
  /** Seals blobs whose plaintexts are in a row in shared memory. */
  sealBytes: {
    readonly request: {
      readonly plaintexts: Uint8Array;
      readonly blobs: readonly { readonly id: BlobId; readonly sizeBytes: number }[];
      readonly into: Uint8Array;
    };
    readonly answer: readonly SealedPlace[];
  };
  /** Opens blobs and writes their plaintexts. One answer for each blob. */
  copyBlobs: {
    readonly request: {
      readonly sealed: Uint8Array;
      readonly blobs: readonly BlobToCopy[];
      readonly options: WriteOptions;
    };
    readonly answer: readonly BlobCopy[];
  };
  /** Hashes parts in shared memory as if they were in a row. */
  hashParts: {
    readonly request: { readonly parts: readonly Uint8Array[] };
    readonly answer: string;
  };
  /** Computes the prints of blocks under the session's key, and copies the blocks that changed. */
  printBlocks: {
    readonly request: BlocksToPrint;
    readonly answer: BlockPrints;
  };
  /** Proves a pack's name, its header and every blob. */
  provePack: {
    readonly request: { readonly id: PackId; readonly pack: Uint8Array };
    readonly answer: PackProof;
  };
}

export type OperationName = keyof Operations;
export type RequestOf<Name extends OperationName> = Operations[Name]['request'];
export type AnswerOf<Name extends OperationName> = Operations[Name]['answer'];

/** What a thread is told. A session is one pool's work under one key: it is opened, has calls, and is closed. */
export type ThreadMessage =
  | { readonly session: number; readonly key: { readonly [Part in keyof MasterKeyBytes]: Uint8Array } }
  | ThreadCall
  | { readonly session: number; readonly isClosed: true };

export interface ThreadCall<Name extends OperationName = OperationName> {
  readonly session: number;
  readonly call: number;
  readonly name: Name;
  readonly request: RequestOf<Name>;
}

export type ThreadAnswer =
  | { readonly call: number; readonly answer: unknown }
  | { readonly call: number; readonly error: ErrorReport };
