import type { TaskGroup } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import type { WeightedLimiter } from '../workers/weighted-limiter.ts';
import type { EntryReports } from './entry-report.ts';
import type { FileContent } from './file-content.ts';
import type { HardLinks } from './hard-links.ts';
import type { ProgressCounter } from './progress.ts';
import type { OverwriteRule, RestoredEntrySink } from './restore-request.ts';
import type { RestoreSelection } from './restore-selection.ts';
import type { TreeReadAhead } from './tree-read-ahead.ts';

/** What one restore shares between all that works on it. */
export interface RestoreContext {
  readonly trees: TreeReadAhead;
  readonly content: FileContent;
  readonly links: HardLinks;
  readonly tasks: TaskGroup;
  /** Files under way. */
  readonly files: WeightedLimiter;
  /** New files that wait to be made by worker threads. */
  readonly newFiles: WeightedLimiter;
  /** Directories that wait for their files. */
  readonly openDirectories: WeightedLimiter;
  /** The open directory that everything is beneath. */
  readonly root: number;
  readonly overwrite: OverwriteRule;
  readonly deleteExtraneous: boolean;
  readonly verify: boolean;
  /** By the path in the target, as messages have it. */
  readonly select: RestoreSelection;
  readonly entries: RestoredEntrySink;
  readonly warnings: EntryReports;
  readonly failures: EntryReports;
  readonly progress: ProgressCounter;
  readonly counts: RestoreCounts;
}

export interface RestoreCounts {
  dirs: number;
  unchanged: number;
  skipped: number;
  skippedBytes: number;
  deleted: number;
}

/** An entry of the target, with the way to it. */
export interface RestorePlace {
  readonly directory: number;
  readonly name: ByteString;
  /** For messages. */
  readonly path: ByteString;
  /** Names from the root of the restore down to the entry; the last is `name`. */
  readonly components: readonly ByteString[];
  /** An open file whose chunks are taken where it has the same ones at the same places. Default: the entry's own. */
  readonly copyFrom?: number | undefined;
}
