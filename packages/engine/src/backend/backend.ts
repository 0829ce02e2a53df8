import type { Abortable } from '@holdfast/base';

/** The kinds of files that a repository is made of. `data` are packs. */
export type FileKind = 'config' | 'key' | 'lock' | 'snapshot' | 'index' | 'data';

/** All kinds of which there are many files, each named by the SHA-256 of its contents. */
export type ListedFileKind = Exclude<FileKind, 'config'>;

/** Names one file. There is one `config`; every other file is named by its id, 64 hexadecimal digits. */
export type FileName = { readonly kind: 'config' } | { readonly kind: ListedFileKind; readonly id: string };

export interface ListedFile {
  readonly id: string;
  readonly sizeBytes: number;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Called with a number of bytes right before a backend sends, or right after it received, so many; it goes on when
 * the promise resolves. The numbers of a call add up to what it transfers.
 */
export type Pace = (bytes: number, options: Abortable) => Promise<void>;

export interface TransferOptions extends Abortable {
  /**
   * What describes contents rather than being contents: packs of trees, above all. Every backup and listing reads it
   * again, so a cache may keep the whole file. Indexes and snapshots are metadata without this.
   */
  readonly isMetadata?: boolean | undefined;
  readonly pace?: Pace | undefined;
}

export interface LoadOptions extends TransferOptions {
  /** Memory to read to, where it is large enough: the answer may be a part of it. Not for two calls at a time. */
  readonly into?: Buffer | undefined;
}

export interface ListOptions extends Abortable {
  /** Only ids behind this one. */
  readonly after?: string | undefined;
}

/**
 * Where a repository's files are. Files are written whole, once, and never changed.
 *
 * Any number of calls may run at once, also from several processes on the same place. A file that is not there is
 * a return value. Failures are `HoldfastError`s:
 * - `storage-unreachable`: the place does not answer or cannot be read; `retry` says whether trying again may help
 * - `storage-credentials-wrong`: the place does not accept who asks
 * - `storage-bucket-missing`: there is no such bucket
 * - `storage-not-writable`: the place is read-only or refuses this user
 * - `storage-full`: no room (or quota) is left; what was there before is untouched
 * - `interrupted`: the signal fired
 */
export interface Backend {
  /** What the user calls this place, for messages. Carries no secret. */
  readonly location: string;

  /** Makes the place ready for a repository's files. What is there already stays. */
  create(options?: Abortable): Promise<void>;

  /**
   * Writes the parts in a row as one file. When it resolves, the file is on stable storage; when it rejects or the
   * process dies, the file is there whole or not at all. A file of the same name is replaced, except `config`:
   * of any number of attempts to write that, one succeeds and the others reject with `repository-exists`.
   */
  save(file: FileName, parts: readonly Uint8Array[], options?: TransferOptions): Promise<void>;

  /** The whole file; undefined if there is none. The caller owns the bytes. */
  load(file: FileName, options?: LoadOptions): Promise<Buffer | undefined>;

  /** That part of the file, shorter only if the file ends before; undefined if there is no file. */
  loadRange(file: FileName, range: ByteRange, options?: LoadOptions): Promise<Buffer | undefined>;

  /** Undefined if there is no such file. */
  stat(file: FileName, options?: Abortable): Promise<{ readonly sizeBytes: number } | undefined>;

  /**
   * Every file of the kind that is there from start to end of the listing, by ascending id; one that comes or goes
   * meanwhile may be left out. What is not named like a file of a repository is left out.
   */
  list(kind: ListedFileKind, options?: ListOptions): AsyncIterable<ListedFile>;

  /** Removes the file; false if there was none. */
  remove(file: FileName, options?: Abortable): Promise<boolean>;

  /**
   * Removes what interrupted saves left behind and last wrote to before that moment (milliseconds since the epoch):
   * choose it so that it cannot be a save under way. Such leftovers do no harm but take room.
   * Returns how many there were.
   */
  removeLeftovers(writtenBeforeMs: number, options?: Abortable): Promise<number>;
}
