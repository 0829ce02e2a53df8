import type { Abortable } from '@holdfast/base';
import type { FilePath } from '../format/byte-string.ts';
import type { TreeId } from '../format/ids.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import type { EntryReport } from '../snapshot/entry-report.ts';
import type { ProgressSink } from '../snapshot/progress.ts';
import type { ChosenPath } from './chosen.ts';

export interface StageRequest extends Abortable {
  readonly blobs: BlobReader;
  readonly treeId: TreeId;
  /** Names from the top of the tree to the node: `['data']` for a part. */
  readonly nodePath: readonly [FilePath, ...FilePath[]];
  /** What is to become the node. Its parent directory has to be there. */
  readonly targetPath: FilePath;
  /**
   * Only what lies at these paths in the node; all else in the target stays as it is. Directories above that are missing
   * are made as the node has them. Undefined: all of it.
   */
  readonly only?: readonly ChosenPath[] | undefined;
  /** What lies at these paths in the target stays there, untouched; where nothing does, the node's is made like all else. */
  readonly kept?: readonly ChosenPath[] | undefined;
}

/** What a target lacks to be the node; directories do not count. */
export interface Difference {
  /** Entries that are made, or replaced. */
  readonly files: number;
  /** Bytes of their contents. */
  readonly bytes: number;
  /** Entries that are removed; a directory is one, with all that is in it. */
  readonly removed: number;
}

/** An entry that a restore would put into its place, or take away; of a directory, all that is in it. */
export interface DifferentEntry {
  readonly change: 'made' | 'replaced' | 'removed';
  /** For people: see `byteStringToText`. */
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * One target on its way to what a snapshot has, in steps: nothing of the target itself changes before `swap`. What it
 * becomes, and afterwards what it was, lies in a folder `.holdfast-restore-…` in it, or beside it.
 * All throw SystemErrors as HoldfastErrors `target-full`, `target-not-writable`, and what the repository throws.
 */
export interface StagedRestore extends AsyncDisposable {
  /** Reads all of the target. May run while others write to it. */
  compare(progress?: ProgressSink): Promise<Difference>;
  /**
   * Makes all that differs in the staging folder, authenticated. May run while others write to the target.
   * @throws HoldfastError `target-full` before anything is made, if there is too little room; `restore-incomplete`
   */
  stage(progress?: ProgressSink): Promise<void>;
  /** Once more, quickly, with what changed since; nobody may write any more. Then all is on stable storage. */
  complete(): Promise<Difference>;
  /** Brings the target to its new state, by renames. Cut off, it is brought on, or back, by `settleStaged`. */
  swap(): Promise<void>;
  /** Brings the target back to what it was, also where `swap` has failed. */
  undo(): Promise<void>;
  /** The target is what it is to be, and so are all that belong to it: `undo` and `settleStaged` have no more to do. */
  finish(): void;
  /** What was restored with something missing: an owner, an attribute. At most a thousand are kept. */
  readonly warnings: readonly EntryReport[];
  readonly warningCount: number;
}
