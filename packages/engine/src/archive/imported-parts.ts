import type { FileTime } from '../format/file-time.ts';
import type { ArchiveFormat } from './archive-format.ts';
import type { EntryTree } from './entry-tree.ts';
import type { ImportArchiveRequest } from './import-request.ts';
import type { KeptContents } from './kept-contents.ts';
import type { NodeSpool } from './node-spool.ts';

/** What there is of an archive once it was read. */
export interface ImportedParts {
  readonly request: ImportArchiveRequest;
  readonly format: ArchiveFormat;
  readonly packedBytes: number;
  readonly tree: EntryTree;
  readonly nodes: NodeSpool;
  readonly kept: KeptContents;
  /** Of directories that were made. */
  readonly newest: FileTime;
  readonly spools: Disposable;
}
