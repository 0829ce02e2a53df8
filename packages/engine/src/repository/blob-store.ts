import type { Abortable } from '@holdfast/base';
import type { MetadataFailure, NewFile } from '../filesystem/make-file.ts';
import type { WriteOptions } from '../filesystem/write-bytes.ts';
import type { BlobType } from '../format/blob-type.ts';
import type { BlobId } from '../format/ids.ts';

export type { BlobType };

export interface BlobReader {
  /** True if an index names the blob. Reads nothing from storage. */
  hasBlob(type: BlobType, id: BlobId): boolean;

  /** The same by the 32 bytes of the id, which is faster. */
  hasBlobBytes(type: BlobType, idBytes: Uint8Array): boolean;

  /** Length of the plaintext in bytes, from the index; undefined if no index names the blob. */
  blobSizeBytes(type: BlobType, id: BlobId): number | undefined;

  /**
   * The blob's plaintext, authenticated, decompressed and checked against its id. The caller owns the bytes.
   * Any number of calls may run at once.
   * @throws HoldfastError `blob-missing` when no index names it; `blob-damaged` when its bytes do not prove to be it
   */
  readBlob(type: BlobType, id: BlobId, options?: Abortable): Promise<Uint8Array>;

  openCopier(options: WriteOptions): BlobCopier;
}

/** Where the plaintext of a data blob belongs. */
export interface CopyTarget {
  /** An open file. */
  readonly file: number;
  readonly position: number;
  /** Length of the plaintext, from the index. */
  readonly sizeBytes: number;
  /** Writes it there, for a copier that does not write by itself. */
  write(plaintext: Uint8Array): Promise<void>;
}

/** Copies data blobs to files and memory. Any number of calls may run at once, and should: neighbours are read together. */
export interface BlobCopier extends AsyncDisposable {
  /**
   * Resolves when the blob's plaintext, proven as by `readBlob`, is written.
   * @throws HoldfastError as `readBlob`; Node's system errors for the file
   */
  copy(id: BlobId, target: CopyTarget, options?: Abortable): Promise<void>;

  /**
   * Makes a file of its own of the blob; see `makeFile`. Resolves with what of its metadata could not be set, or with
   * undefined if there is no such file now, for whatever reason.
   */
  makeFile(id: BlobId, file: NewFile, options?: Abortable): Promise<readonly MetadataFailure[] | undefined>;

  /**
   * Resolves when the blob's plaintext, proven as by `readBlob`, is in the memory, which is exactly as long and shared.
   * @throws HoldfastError as `readBlob`
   */
  read(id: BlobId, memory: Uint8Array, options?: Abortable): Promise<void>;
}

export interface SavedBlob {
  readonly id: BlobId;
  /** Length of the plaintext. */
  readonly sizeBytes: number;
  /** False when the repository already had it, or this writer was already given it. */
  readonly isNew: boolean;
  /** Bytes it takes in its pack, after compression and encryption, with its header entry; 0 when not new. */
  readonly storedBytes: number;
}

/**
 * Adds blobs to packs. Order of writes: a pack is on stable storage before an index names it.
 * Memory is bounded: `saveBlob` waits while too many packs are under way.
 */
export interface BlobWriter extends AsyncDisposable {
  /**
   * Takes the plaintext and keeps no reference to it after the promise settles; until then it must not change.
   * Any number of calls may run at once; equal blobs are stored once. Large plaintexts in shared memory are worked on
   * by other threads without being copied.
   */
  saveBlob(type: BlobType, plaintext: Uint8Array, options?: Abortable): Promise<SavedBlob>;

  /**
   * Saves what an open file has, from its start up to that size, as one data blob. Nothing is saved of an empty file,
   * for which it returns undefined.
   * @throws Node's system errors when the file cannot be read
   */
  saveFile(file: number, sizeBytes: number, options?: Abortable): Promise<SavedBlob | undefined>;

  /**
   * Writes what is still open and the index of everything saved so far. Only after it resolves may a snapshot
   * that refers to these blobs be saved. May be called several times.
   */
  flush(options?: Abortable): Promise<void>;
}
