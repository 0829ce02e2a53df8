import type { Abortable } from '@holdfast/base';
import type { FilePath } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import type { EntryReport } from './entry-report.ts';
import type { ProgressSink } from './progress.ts';
import type { RestorePatterns } from './restore-selection.ts';

/**
 * What becomes of a file that is there already:
 * - `always`: it gets the snapshot's content; where it has it already, byte for byte, it is not written again
 * - `if-changed`: the same, but equal size and modification time are taken for equal content
 * - `if-newer`: it is left alone unless the snapshot's is newer
 * - `never`: it is left alone
 *
 * Directories get the snapshot's metadata in every case.
 */
export type OverwriteRule = 'always' | 'if-changed' | 'if-newer' | 'never';

export interface RestoreOptions {
  /**
   * Remove what the snapshot does not have: with patterns, only what they select. What is mounted inside the target is
   * left. Default: false.
   */
  readonly deleteExtraneous?: boolean;
  /** Default: `always`. */
  readonly overwrite?: OverwriteRule;
  /** Make holes where files have zeros. Default: false. */
  readonly sparse?: boolean;
  /** Read back every file that was written, and compare. Default: false. */
  readonly verify?: boolean;
  /** Return only when everything is on stable storage (syncfs). Default: true. */
  readonly syncTarget?: boolean;
  /** Write nothing, and tell what would be done. Default: false. */
  readonly dryRun?: boolean;
}

/** What becomes of an entry: made, changed or replaced, found to be right or left alone, removed. */
export type RestoreAction = 'restored' | 'updated' | 'unchanged' | 'deleted';

/** One for everything but directories; of a directory that is removed, one for it and all in it. */
export interface RestoredEntry {
  readonly action: RestoreAction;
  /** For people: see `byteStringToText`. */
  readonly path: string;
  readonly bytes: number;
}

export interface RestoredEntrySink {
  report(entry: RestoredEntry): void;
}

export interface RestoreRequest extends Abortable {
  readonly blobs: BlobReader;
  readonly treeId: TreeId;
  readonly options?: RestoreOptions;
  readonly progress?: ProgressSink | undefined;
  /** Told of each entry as it is done, or with `dryRun` as it would be. */
  readonly entries?: RestoredEntrySink | undefined;
}

export interface RestoreSummary {
  /** Everything but directories. */
  readonly files: number;
  readonly dirs: number;
  /** Bytes of the files' contents, written or found to be there already. */
  readonly bytes: number;
  /** Files whose content was there already. */
  readonly unchanged: number;
  /** Entries that were left alone by the overwrite rule. */
  readonly skipped: number;
  /** Bytes of the contents of both. */
  readonly skippedBytes: number;
  /** Entries removed. */
  readonly deleted: number;
}

export interface RestoreResult {
  readonly summary: RestoreSummary;
  /** What was restored with something missing: an owner, an attribute, a link. At most a thousand are kept. */
  readonly warnings: readonly EntryReport[];
  readonly warningCount: number;
  /** What could not be restored at all; everything else is. At most a thousand are kept. */
  readonly failures: readonly EntryReport[];
  readonly failureCount: number;
}

export interface RestoreNodeRequest extends RestoreRequest {
  /** Names from the top of the tree to the node: `['data']` for a part. */
  readonly nodePath: readonly [FilePath, ...FilePath[]];
  /** What is to become the node. Its parent directory has to be there; symbolic links before its last component are followed. */
  readonly targetPath: FilePath;
}

export interface RestoreSnapshotRequest extends RestoreRequest {
  /** Made, with its parents, where it is not there. Its own owner, mode and times stay. */
  readonly targetDirectory: FilePath;
  /** Default: everything. */
  readonly patterns?: RestorePatterns | undefined;
}
