import { HoldfastError } from '@holdfast/base';
import { type ByteString, byteStringToBytes } from '../format/byte-string.ts';

/** A component of a pattern: text that has to be equal, an expression, or any number of components. */
type Component = string | RegExp | typeof anyDepth;

const anyDepth = Symbol('**');

/**
 * A pattern as restic's options take them: `*`, `?`, `[a-z]` and `[^a-z]` within a component, `**` for any number of
 * components; with a leading `/` from the root, else at any depth. A leading `!` takes back what earlier patterns of
 * the same list matched. What is below a match matches too.
 */
export interface PathPattern {
  readonly isNegated: boolean;
  matches(names: readonly string[]): boolean;
  /** True where something below these names may match, though they themselves need not. */
  mayMatchBelow(names: readonly string[]): boolean;
}

export interface PatternOptions {
  /** Upper and lower case are the same. Default: false. */
  readonly anyCase?: boolean;
}

/** The names of a path, as patterns with the same options are compared with. */
export function patternNames(path: ByteString, { anyCase = false }: PatternOptions = {}): string[] {
  const text = byteStringToBytes(path).toString();
  return (anyCase ? text.toLowerCase() : text).split('/').filter((name) => name !== '');
}

/** Empty patterns are left out. @throws HoldfastError `usage-invalid` for a pattern that is not one */
export function compilePatterns(patterns: readonly string[], options: PatternOptions = {}): PathPattern[] {
  return patterns.filter((pattern) => pattern !== '').map((pattern) => compilePattern(pattern, options));
}

function compilePattern(pattern: string, { anyCase = false }: PatternOptions): PathPattern {
  const isNegated = pattern.startsWith('!');
  const body = isNegated ? pattern.slice(1) : pattern;
  const parts = (anyCase ? body.toLowerCase() : body)
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  const components = parts.map((part) => compileComponent(part, pattern));
  const isAnchored = body.startsWith('/');
  return {
    isNegated,
    matches: (names) =>
      isAnchored
        ? matchesFrom(components, 0, names, 0)
        : names.some((_, start) => matchesFrom(components, 0, names, start)),
    mayMatchBelow: (names) => !isAnchored || matchesAsFarAsItGoes(components, names),
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
  return matchesName(component, name) && matchesFrom(components, at + 1, names, start + 1);
}

function matchesAsFarAsItGoes(components: readonly Component[], names: readonly string[]): boolean {
  for (const [index, name] of names.entries()) {
    const component = components[index];
    if (component === undefined || component === anyDepth) return true;
    if (!matchesName(component, name)) return false;
  }
  return true;
}

function matchesName(component: string | RegExp, name: string): boolean {
  return typeof component === 'string' ? component === name : component.test(name);
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
