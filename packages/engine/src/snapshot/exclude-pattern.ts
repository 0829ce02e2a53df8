import { HoldfastError } from '@holdfast/base';
import { type ByteString, byteStringToBytes } from '../format/byte-string.ts';

/** A component of a pattern: text that has to be equal, an expression, or any number of components. */
type Component = string | RegExp | typeof anyDepth;

const anyDepth = Symbol('**');

/** Decides by a path whether an entry (and all below it) is left out of a backup. */
export type PathFilter = (absolutePath: ByteString) => boolean;

/**
 * Patterns as restic's `--exclude` takes them: `*`, `?`, `[a-z]` and `[^a-z]` within a component, `**` for any number
 * of components; with a leading `/` from the root, else at any depth; `!` takes back what an earlier pattern left out.
 * @throws HoldfastError `usage-invalid` for a pattern that is not one
 */
export function compileExcludes(patterns: readonly string[]): PathFilter {
  const rules = patterns.filter((pattern) => pattern !== '').map(compilePattern);
  if (rules.length === 0) return () => false;
  return (absolutePath) => {
    const names = byteStringToBytes(absolutePath)
      .toString()
      .split('/')
      .filter((name) => name !== '');
    let isExcluded = false;
    for (const { isNegated, matches } of rules) {
      if (isExcluded === isNegated && matches(names)) isExcluded = !isNegated;
    }
    return isExcluded;
  };
}

interface Rule {
  readonly isNegated: boolean;
  readonly matches: (names: readonly string[]) => boolean;
}

function compilePattern(pattern: string): Rule {
  const isNegated = pattern.startsWith('!');
  const body = isNegated ? pattern.slice(1) : pattern;
  const parts = body.split('/').filter((part) => part !== '' && part !== '.');
  const components = parts.map((part) => compileComponent(part, pattern));
  const isAnchored = body.startsWith('/');
  return {
    isNegated,
    matches: (names) =>
      isAnchored
        ? matchesFrom(components, 0, names, 0)
        : names.some((_, start) => matchesFrom(components, 0, names, start)),
  };
}

/** Whether the components from `at` on match the names from `start` on; what is below a match matches too. */
function matchesFrom(
  components: readonly Component[],
  at: number,
  names: readonly string[],
  start: number,
): boolean {
  const component = components[at];
  if (component === undefined) return true;
  if (component === anyDepth) {
    for (let next = start; next <= names.length; next += 1) {
      if (matchesFrom(components, at + 1, names, next)) return true;
    }
    return false;
  }
  const name = names[start];
  if (name === undefined) return false;
  const isMatch = typeof component === 'string' ? component === name : component.test(name);
  return isMatch && matchesFrom(components, at + 1, names, start + 1);
}

function compileComponent(part: string, pattern: string): Component {
  if (part === '**') return anyDepth;
  if (!/[\\[\]*?]/.test(part)) return part;
  let expression = '';
  let rest = part;
  while (rest !== '') {
    const token = globToken.exec(rest)?.[0];
    if (token === undefined) throw badPattern(pattern);
    expression += translateToken(token);
    rest = rest.slice(token.length);
  }
  try {
    return new RegExp(`^${expression}$`, 'su');
  } catch (error) {
    throw badPattern(pattern, error);
  }
}

/** `*`, `?`, a class that is not empty, an escaped character, or any other character. */
const globToken = /^(?:\*+|\?|\[\^?(?:\\.|[^\\\]])+\]|\\.|[^\\[])/su;

function translateToken(token: string): string {
  if (token.startsWith('*')) return '.*';
  if (token === '?') return '.';
  if (token.startsWith('[') && token.length > 1) return translateClass(token);
  return escapeCharacter(token.startsWith('\\') ? token.slice(1) : token);
}

function translateClass(token: string): string {
  const isNegated = token.startsWith('[^');
  const members = [...token.slice(isNegated ? 2 : 1, -1).matchAll(/\\(.)|(.)/gsu)];
  const body = members.map(([, escaped, plain]) =>
    plain === '-' ? '-' : escapeCharacter(escaped ?? plain ?? ''),
  );
  return `[${isNegated ? '^' : ''}${body.join('')}]`;
}

function escapeCharacter(character: string): string {
  return /[\^$\\.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}

function badPattern(pattern: string, cause?: unknown): HoldfastError {
  return new HoldfastError('usage-invalid', `The pattern "${pattern}" cannot be understood.`, {
    hint: 'Close every [ with a ], and put a \\ before a bracket, star or question mark that is meant itself.',
    context: { pattern },
    cause,
  });
}
