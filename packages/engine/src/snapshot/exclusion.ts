import { readSync } from 'node:fs';
import { systemErrorCode } from '@holdfast/base';
import { type FileStatus, isRegularFile, statusAt } from '../filesystem/file-status.ts';
import { openFileAt } from '../filesystem/open.ts';
import { isTemporaryName } from '../filesystem/temporary-name.ts';
import { type ByteString, toByteString } from '../format/byte-string.ts';
import { compileExcludes, type ExcludePatterns, type PathFilter } from './exclude-pattern.ts';

/** A file whose presence says that nothing else of its directory is to be backed up. */
export interface ExcludeTag {
  readonly name: string;
  /** Only where the file begins with this. */
  readonly header?: string | undefined;
}

/** What marks directories that can be filled again at any time: see the Cache Directory Tagging Specification. */
export const cacheDirectoryTag: ExcludeTag = {
  name: 'CACHEDIR.TAG',
  header: 'Signature: 8a477f597d28d172789f06886806bc55',
};

export interface ExcludeRules extends ExcludePatterns {
  /** Of a directory with one of these, only the tag itself is backed up. */
  readonly excludeIfPresent?: readonly ExcludeTag[] | undefined;
  /** Leave out what restores make in and beside their targets, and remove at their end. */
  readonly leftByRestores?: boolean | undefined;
  /** Leave out larger files. */
  readonly excludeLargerThanBytes?: number | undefined;
}

/** True if no rule is there that could leave anything out. */
export function leavesNothingOut({
  excludes = [],
  excludesAnyCase = [],
  excludeIfPresent = [],
  excludeLargerThanBytes,
}: ExcludeRules): boolean {
  const rules = [...excludes, ...excludesAnyCase, ...excludeIfPresent];
  return rules.length === 0 && excludeLargerThanBytes === undefined;
}

/** Decides what of the sources is left out. */
export interface Exclusion {
  /** By its path alone. */
  readonly isExcluded: PathFilter;
  isTooLarge(status: FileStatus): boolean;
  /** Those of a directory's names that neither its tags leave out, nor what they stand for. */
  keptNames(directory: number, names: readonly ByteString[]): readonly ByteString[];
}

/** @throws HoldfastError `usage-invalid` for a pattern that is not one */
export function compileExclusion(rules: ExcludeRules): Exclusion {
  const { excludeIfPresent = [], excludeLargerThanBytes = Number.POSITIVE_INFINITY } = rules;
  const isKept = (name: ByteString): boolean => rules.leftByRestores !== true || !isTemporaryName(name);
  const tags = excludeIfPresent.map(({ name, header = '' }) => ({
    name: toByteString(name),
    header: Buffer.from(header),
  }));
  return {
    isExcluded: compileExcludes(rules),
    isTooLarge: (status) => status.size > excludeLargerThanBytes && isRegularFile(status),
    keptNames: (directory, names) => {
      const present = tags.filter((tag) => isPresent(directory, tag));
      // As with restic, each tag leaves out all names but its own.
      return names.filter((name) => isKept(name) && present.every((tag) => tag.name === name));
    },
  };
}

/** A tag that cannot be read is none. */
function isPresent(
  directory: number,
  { name, header }: { readonly name: ByteString; readonly header: Buffer },
): boolean {
  try {
    if (statusAt(directory, name) === undefined) return false;
    if (header.length === 0) return true;
    using file = openFileAt(directory, name);
    const begin = Buffer.alloc(header.length);
    return readSync(file.number, begin, 0, begin.length, 0) === header.length && begin.equals(header);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}
