import type { Abortable } from '@holdfast/base';
import type { ChunkWindows } from '../chunker/chunk-windows.ts';
import type { ChunkerPolynomial } from '../chunker/polynomial.ts';
import type { FilePath } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { BlobWriter } from '../repository/blob-store.ts';
import type { ProgressSink } from '../snapshot/progress.ts';
import type { ArchiveFormat } from './archive-format.ts';
import type { ArchiveLimits } from './archive-limits.ts';

export interface ImportArchiveRequest extends Abortable {
  /** The whole archive, a file on local storage. It must not change until the import is disposed of. */
  readonly path: string;
  /** Of the repository. Blobs only are saved: whoever calls flushes it, and saves the snapshot. */
  readonly writer: BlobWriter;
  readonly polynomial: ChunkerPolynomial;
  /** Of that polynomial; to be shared by imports that run one after the other or side by side. Default: its own. */
  readonly windows?: ChunkWindows | undefined;
  readonly limits: ArchiveLimits;
  /** On local storage, for what is too much for memory. Default: the system's for temporary files. */
  readonly directory?: string | undefined;
  readonly progress?: ProgressSink | undefined;
}

export interface SavedArchiveTree {
  readonly treeId: TreeId;
  /** Names of regular files. */
  readonly files: number;
  /** Bytes of their contents. */
  readonly bytes: number;
}

/**
 * What an archive held. Paths are relative to its top, which is `''`; text is UTF-8, and what is no text is addressed
 * by bytes. Symbolic links are never followed.
 */
export interface ImportedArchive extends AsyncDisposable {
  readonly format: ArchiveFormat;

  /**
   * The content of a regular file as text; undefined where there is no such file.
   * @throws HoldfastError `archive-refused` beyond 16 MiB; `archive-damaged` if the archive has changed meanwhile
   */
  textOf(path: FilePath): Promise<string | undefined>;

  /** The same as bytes. */
  bytesOf(path: FilePath): Promise<Buffer | undefined>;

  /** Names in a directory, in the order of their bytes; undefined where there is no such directory. */
  namesIn(path: FilePath): readonly string[] | undefined;

  /** SHA-256 of a regular file's content, in hexadecimal; undefined where there is no such file. */
  digestOf(path: FilePath): string | undefined;

  /**
   * Compares the files with lists as `sha256sum` writes them: every file that is listed has to be there, and every file
   * beneath `prefix` has to be listed, by one of its names if it has several. Lists may come one by one.
   * @throws HoldfastError `archive-damaged` that names the first file that differs, is missing, or is not listed
   */
  verify(checksums: ChecksumLists, prefix: FilePath): Promise<void>;

  /**
   * Saves a tree with exactly one entry, `data`: the file or directory at that path. For `''` that is all of the archive: as
   * its own entry of its top has it, or else root's with mode 755 and the newest time in it.
   * @throws HoldfastError `path-unknown`, `archive-refused` for a symbolic link, and whatever the repository throws
   */
  saveTree(path: FilePath): Promise<SavedArchiveTree>;
}

export type ChecksumLists = string | Uint8Array | AsyncIterable<string | Uint8Array>;
