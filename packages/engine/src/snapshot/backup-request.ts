import type { Abortable } from '@holdfast/base';
import type { ChunkWindows } from '../chunker/chunk-windows.ts';
import type { ChunkerPolynomial } from '../chunker/polynomial.ts';
import type { TreeId } from '../format/ids.ts';
import type { BlobReader, BlobWriter } from '../repository/blob-store.ts';
import type { EntryReport } from './entry-report.ts';
import type { ExcludeRules } from './exclusion.ts';
import type { ProgressSink } from './progress.ts';
import type { BackupSource, StreamSource } from './source-tree.ts';
import type { Standstill } from './standstill.ts';
import type { TreeSpool } from './tree-spool.ts';

export interface BackupOptions {
  /** Times with the offset of this machine's time zone, as stock restic writes them. Default: UTC. */
  readonly localTime?: boolean;
  /** Names of owners and groups beside their numbers, as stock restic writes them. Default: none. */
  readonly ownerNames?: boolean;
  /** Keep access times, which reading changes. Default: the modification time in their place, as stock restic does it. */
  readonly accessTimes?: boolean;
  /** Leave out what is on other file systems than the sources themselves; their mount points stay, empty. */
  readonly oneFileSystem?: boolean;
  /** Also see writes that change no time: see `MappedWrites`. Default: trust sizes and times, as stock restic does. */
  readonly mappedWrites?: MappedWrites;
  /** How often a file that changed while it was read is read again, before it is told as changing. Default: 0. */
  readonly rereads?: number;
  /** About how much contents under way may take, in bytes. Default: 64 MiB. Less where backups run side by side. */
  readonly memoryBytes?: number;
  /** Take files for unchanged although their change time differs from the parent backup's: then the modification time counts. */
  readonly ignoreChangeTime?: boolean;
  /** The same, and although their inode's number differs too: for file systems that keep neither. */
  readonly ignoreInode?: boolean;
}

/**
 * A store through a shared mapping changes a file's times only when its page was clean. So what waits in memory is
 * written to storage before a backup looks at files: stores after that show. Files in memory file systems and those that
 * a process maps now are always read.
 */
export interface MappedWrites {
  /** Write to storage first (syncfs). Not while the sources stand still: there the parent backup has done it. */
  readonly sync: boolean;
  /** Of files that are always read: see `inodesMappedForWriting`. */
  readonly inodes: ReadonlySet<bigint>;
}

/** The backup before this one. */
export interface ParentBackup {
  readonly treeId: TreeId;
  /**
   * When it began, before it looked at any file, in milliseconds since the epoch: its snapshot's time. A file whose
   * status changed later than two seconds before that is read again, whatever its times say.
   */
  readonly startedAtMs: number;
}

/** What to leave out: patterns are matched against absolute paths. Streams are never left out. */
export interface BackupRequest extends Abortable, ExcludeRules {
  readonly writer: BlobWriter;
  readonly blobs: BlobReader;
  readonly polynomial: ChunkerPolynomial;
  /** Of that polynomial; to be shared by backups that run one after the other or side by side. Default: its own. */
  readonly windows?: ChunkWindows | undefined;
  /** May be empty where there are streams. */
  readonly sources: readonly BackupSource[];
  readonly streams?: readonly StreamSource[] | undefined;
  readonly parent?: ParentBackup | undefined;
  readonly options?: BackupOptions;
  /** Trees are read from it if they are there, and those that are read or saved are added. */
  readonly trees?: TreeSpool | undefined;
  /** Only for sources that are directories or files, not for streams. */
  readonly standstill?: Standstill | undefined;
  readonly progress?: ProgressSink | undefined;
}

/** How entries compare with the parent backup. Without one, all are new. */
export interface EntryCounts {
  readonly new: number;
  readonly changed: number;
  readonly unmodified: number;
}

export interface BackupSummary {
  /** Regular files. */
  readonly files: number;
  /** Directories, with those above the sources. */
  readonly dirs: number;
  /** Bytes of the files' contents, read or not. */
  readonly bytes: number;
  /** Bytes that were added to the repository, compressed and encrypted. */
  readonly storedBytes: number;
  readonly fileCounts: EntryCounts;
  readonly dirCounts: EntryCounts;
  /** Files that changed each time they were read: what was saved of them may be from two moments. */
  readonly unsteadyFiles: number;
}

export interface BackupResult {
  readonly treeId: TreeId;
  readonly summary: BackupSummary;
  /** What was left out or saved with something missing; everything else is in the tree. At most a thousand are kept. */
  readonly warnings: readonly EntryReport[];
  readonly warningCount: number;
}
