import type { TaskGroup } from '@holdfast/base';
import type { FileSystems } from '../filesystem/file-system-type.ts';
import type { FileTime } from '../format/file-time.ts';
import type { NodeEncoder } from '../format/node-encoder.ts';
import type { BlobReader } from '../repository/blob-store.ts';
import type { WeightedLimiter } from '../workers/weighted-limiter.ts';
import type { Aside } from './aside.ts';
import type { MappedWrites } from './backup-request.ts';
import type { BackupTally } from './backup-tally.ts';
import type { EntryReports } from './entry-report.ts';
import type { Exclusion } from './exclusion.ts';
import type { FileSaver } from './file-saver.ts';
import type { ProgressCounter } from './progress.ts';
import type { HeadOptions } from './source-node.ts';
import type { TreeReadAhead } from './tree-read-ahead.ts';
import type { TreeSpool } from './tree-spool.ts';

/** What one backup run shares between all that works on it. */
export interface BackupContext {
  readonly blobs: BlobReader;
  /** Trees of the backup before this one. */
  readonly parentTrees: TreeReadAhead;
  readonly saver: FileSaver;
  readonly tasks: TaskGroup;
  /** Bytes of memory for files under way. */
  readonly memory: WeightedLimiter;
  /** Directories that were walked and whose trees are not saved yet. */
  readonly openTrees: WeightedLimiter;
  readonly heads: HeadOptions;
  readonly encoder: NodeEncoder;
  readonly exclusion: Exclusion;
  readonly fileSystems: FileSystems;
  /** Where a later pass of the same sources finds what this one saw; undefined where none comes, or not all is seen. */
  readonly records: TreeSpool | undefined;
  /** Only files whose status last changed before this may count as unchanged; undefined without a parent backup. */
  readonly trustedBefore: FileTime | undefined;
  readonly ignoreChangeTime: boolean;
  readonly ignoreInode: boolean;
  /** File systems to stay on; undefined for all. */
  readonly devices: Set<bigint> | undefined;
  /** Undefined: sizes and times are trusted. */
  readonly mappedWrites: MappedWrites | undefined;
  /** File systems whose pending writes were written before the first look at them. */
  readonly syncedDevices: Set<bigint>;
  readonly rereads: number;
  /** While the sources stand still: where their contents go. */
  readonly aside: Aside | undefined;
  readonly warnings: EntryReports;
  readonly tally: BackupTally;
  readonly progress: ProgressCounter;
}
