import type { ErrorReport } from '@holdfast/base';
import type { BlobId } from '../format/ids.ts';

/** An open file of this process, to be read from its start up to that size. */
export interface FileToHash {
  readonly file: number;
  readonly sizeBytes: number;
}

/** A blob whose plaintext the worker keeps until it is told to seal or to drop it; or why the file could not be read. */
export type HeldBlob = { readonly id: BlobId; readonly sizeBytes: number } | { readonly errorCode: string };

/** A sealed blob's place in the memory that comes with it. */
export interface SealedPlace {
  readonly lengthBytes: number;
  readonly uncompressedLength: number | undefined;
}

export interface SealedBatch {
  /** The sealed blobs in a row. */
  readonly memory: Uint8Array;
  readonly places: readonly SealedPlace[];
}

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
  /** Seals the chosen blobs of a held batch, by their positions in it, and drops the batch. */
  sealHeld: {
    readonly request: { readonly hold: number; readonly chosen: readonly number[] };
    readonly answer: SealedBatch;
  };
  /** Seals blobs that come with the request. */
  sealBytes: {
    readonly request: { readonly blobs: readonly { readonly id: BlobId; readonly plaintext: Uint8Array }[] };
    readonly answer: SealedBatch;
  };
}

export type OperationName = keyof Operations;
export type RequestOf<Name extends OperationName> = Operations[Name]['request'];
export type AnswerOf<Name extends OperationName> = Operations[Name]['answer'];

export interface WorkerRequest<Name extends OperationName = OperationName> {
  readonly call: number;
  readonly name: Name;
  readonly request: RequestOf<Name>;
}

export type WorkerAnswer =
  | { readonly call: number; readonly answer: unknown }
  | { readonly call: number; readonly error: ErrorReport };
