import type { BlobId } from '../format/ids.ts';

/** The chunks of a file that was saved. */
export interface SavedContent {
  readonly content: readonly BlobId[];
  /** Sum of the chunks' lengths. */
  readonly size: number;
}
