import type { KnownFiles } from './known-files.ts';

/** How much was copied while the sources stood still. */
export interface CopiedAside {
  readonly files: number;
  readonly bytes: number;
  /** How long that took: from the first look at the sources. */
  readonly elapsedMs: number;
}

/**
 * Sources that stand still for as short a time as can be. Files that changed since the parent backup are copied to local
 * storage; they are cut into chunks, and anything is written to the repository, once the sources may go on.
 */
export interface Standstill {
  /** Where the copies are kept: an existing directory, best on the same file system as the sources. */
  readonly directory: string;
  /** What the passes before know of large files: of those, only blocks that changed are copied. */
  readonly knownFiles?: KnownFiles;
  /**
   * What the pass is for: `rehearsal` (default): the final one, which comes after it, copies what it leaves to copy;
   * `look`: it only looks at large files, so that the next pass finds little, and `setAside` has to reject;
   * `final`: nothing is learnt for another.
   */
  readonly purpose?: 'rehearsal' | 'look' | 'final';
  /** Called once, when nothing more is needed of the sources. Work goes on as soon as it resolves, and ends if it rejects. */
  setAside(copied: CopiedAside): Promise<void>;
}
