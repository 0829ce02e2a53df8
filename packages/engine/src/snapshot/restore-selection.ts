import { HoldfastError } from '@holdfast/base';
import type { ByteString } from '../format/byte-string.ts';
import { compileExcludes, type ExcludePatterns, matchesList } from './exclude-pattern.ts';
import { compilePatterns, type PathPattern, type PatternOptions, patternNames } from './path-pattern.ts';

/**
 * What of a tree is restored: all of it, only what `includes` match, or all but what `excludes` match. Paths are
 * those within the tree, `/` being its top. Of directories above something that is included, only the metadata is
 * restored with it.
 */
export interface RestorePatterns extends ExcludePatterns {
  readonly includes?: readonly string[] | undefined;
  readonly includesAnyCase?: readonly string[] | undefined;
}

export interface Selection {
  readonly isSelected: boolean;
  /** True where something below may be selected. */
  readonly mayBeBelow: boolean;
}

/** Decides by the path within the tree. */
export type RestoreSelection = (path: ByteString) => Selection;

const everything: Selection = { isSelected: true, mayBeBelow: true };
const nothing: Selection = { isSelected: false, mayBeBelow: false };

/** @throws HoldfastError `usage-invalid` for a pattern that is not one, and for both kinds together */
export function compileSelection(patterns: RestorePatterns = {}): RestoreSelection {
  const includes = [
    compileIncludes(patterns.includes ?? [], { anyCase: false }),
    compileIncludes(patterns.includesAnyCase ?? [], { anyCase: true }),
  ].filter((selection) => selection !== undefined);
  const isExcluding = [patterns.excludes, patterns.excludesAnyCase].some((list = []) => list.length > 0);
  if (includes.length === 0 && !isExcluding) return () => everything;
  if (includes.length === 0) {
    const isExcluded = compileExcludes(patterns);
    return (path) => (isExcluded(path) ? nothing : everything);
  }
  if (isExcluding) {
    throw new HoldfastError('usage-invalid', 'A restore either includes or excludes by patterns, not both.', {
      hint: 'Begin a pattern with "!" to take back what an earlier one of its list matches.',
    });
  }
  return (path) => {
    const selections = includes.map((select) => select(path));
    return {
      isSelected: selections.some(({ isSelected }) => isSelected),
      mayBeBelow: selections.some(({ mayBeBelow }) => mayBeBelow),
    };
  };
}

function compileIncludes(list: readonly string[], options: PatternOptions): RestoreSelection | undefined {
  const patterns = compilePatterns(list, options);
  if (patterns.length === 0) return undefined;
  return (path) => {
    const names = patternNames(path, options);
    return { isSelected: matchesList(patterns, names), mayBeBelow: mayMatchBelow(patterns, names) };
  };
}

function mayMatchBelow(patterns: readonly PathPattern[], names: readonly string[]): boolean {
  let mayMatch = false;
  for (const pattern of patterns) {
    if (pattern.isNegated) mayMatch &&= !pattern.matches(names);
    else mayMatch ||= pattern.mayMatchBelow(names);
  }
  return mayMatch;
}
