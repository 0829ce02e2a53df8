import type { ByteString } from '../format/byte-string.ts';
import { compilePatterns, type PathPattern, type PatternOptions, patternNames } from './path-pattern.ts';

/** Decides by a path whether an entry (and all below it) is left out of a backup. */
export type PathFilter = (absolutePath: ByteString) => boolean;

export interface ExcludePatterns {
  /** As restic's `--exclude` takes them; see `PathPattern`. */
  readonly excludes?: readonly string[] | undefined;
  /** The same, as `--iexclude`: upper and lower case are the same. */
  readonly excludesAnyCase?: readonly string[] | undefined;
}

/** What either list excludes is excluded. @throws HoldfastError `usage-invalid` for a pattern that is not one */
export function compileExcludes({ excludes = [], excludesAnyCase = [] }: ExcludePatterns): PathFilter {
  const filters = [
    compileList(excludes, { anyCase: false }),
    compileList(excludesAnyCase, { anyCase: true }),
  ].filter((filter) => filter !== undefined);
  return (absolutePath) => filters.some((isExcluded) => isExcluded(absolutePath));
}

function compileList(patterns: readonly string[], options: PatternOptions): PathFilter | undefined {
  const compiled = compilePatterns(patterns, options);
  if (compiled.length === 0) return undefined;
  return (absolutePath) => matchesList(compiled, patternNames(absolutePath, options));
}

/** The last pattern that matches decides: one with `!` takes back. */
export function matchesList(patterns: readonly PathPattern[], names: readonly string[]): boolean {
  let isMatch = false;
  for (const { isNegated, matches } of patterns) {
    if (isMatch === isNegated && matches(names)) isMatch = !isNegated;
  }
  return isMatch;
}
