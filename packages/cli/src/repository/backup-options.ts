import { cacheDirectoryTag, type ExcludeTag } from '@holdfast/engine';
import type { ListedPathOptions } from './listed-paths.ts';
import type { GroupField } from './parent-snapshot.ts';
import type { ExcludePatternOptions } from './pattern-options.ts';
import type { LockedRepositoryOptions } from './repository-options.ts';

/** What `repository:backup` takes; the names are restic's. */
export interface BackupCommandOptions
  extends LockedRepositoryOptions,
    ExcludePatternOptions,
    ListedPathOptions {
  readonly excludeCaches?: boolean;
  readonly excludeIfPresent?: readonly string[];
  /** Bytes */
  readonly excludeLargerThan?: number;
  readonly oneFileSystem?: boolean;
  readonly stdin?: boolean;
  readonly stdinFilename?: string;
  readonly stdinFromCommand?: boolean;
  readonly tag?: readonly string[];
  readonly host?: string;
  /** Milliseconds since the epoch */
  readonly time?: number;
  readonly parent?: string;
  readonly groupBy?: readonly GroupField[];
  readonly force?: boolean;
  readonly ignoreCtime?: boolean;
  readonly ignoreInode?: boolean;
  readonly withAtime?: boolean;
  readonly skipIfUnchanged?: boolean;
  readonly dryRun?: boolean;
  readonly scan?: boolean;
}

/** `NAME` or `NAME:BEGINNING`, and the tag of caches where that is wanted. */
export function excludeTags({ excludeCaches, excludeIfPresent = [] }: BackupCommandOptions): ExcludeTag[] {
  const tags = excludeIfPresent.map((text) => {
    const colon = text.indexOf(':');
    return colon === -1 ? { name: text } : { name: text.slice(0, colon), header: text.slice(colon + 1) };
  });
  return excludeCaches === true ? [...tags, cacheDirectoryTag] : tags;
}
