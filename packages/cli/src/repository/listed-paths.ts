import { isUtf8 } from 'node:buffer';
import { globSync } from 'node:fs';
import { HoldfastError } from '@holdfast/base';
import type { FilePath } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { printable } from '../output/printable.ts';
import { meantLines, readNamedFile } from './text-files.ts';

/** Files that say what to back up, as restic's options name them. */
export interface ListedPathOptions {
  /** A pattern a line; blank lines and those that begin with `#` do not count. */
  readonly filesFrom?: readonly string[];
  /** A path a line. */
  readonly filesFromVerbatim?: readonly string[];
  /** Paths that each end with a zero byte. */
  readonly filesFromRaw?: readonly string[];
}

/** Those on the command line, and those in the files. @throws HoldfastError `usage-invalid` */
export async function allPaths(
  context: CliContext,
  paths: readonly string[],
  options: ListedPathOptions,
): Promise<FilePath[]> {
  const all: FilePath[] = [...paths];
  for (const file of options.filesFrom ?? []) {
    const lines = meantLines((await readNamedFile(context, file)).toString());
    for (const line of lines) all.push(...matchesOf(context, line));
  }
  for (const file of options.filesFromVerbatim ?? []) {
    all.push(...split(await readNamedFile(context, file), '\n').filter((line) => line.length > 0));
  }
  for (const file of options.filesFromRaw ?? []) {
    const entries = split(await readNamedFile(context, file), '\0');
    if (entries.pop()?.length !== 0 || entries.some(({ length }) => length === 0)) {
      throw new HoldfastError(
        'usage-invalid',
        `${file} is not a list of paths that each end with a zero byte.`,
        {
          hint: 'Make it with `find … -print0`.',
        },
      );
    }
    all.push(...entries);
  }
  return all.map((path) => (typeof path !== 'string' && isUtf8(path) ? Buffer.from(path).toString() : path));
}

/** A pattern that matches nothing is told and passed over. */
function matchesOf(context: CliContext, pattern: string): string[] {
  // Only `*`, `?`, `[` and `\` mean something to restic.
  const escaped = pattern.replaceAll(/[{}()!+@|]/g, '\\$&').replaceAll('**', '*');
  const matches = globSync(escaped, { cwd: context.folder });
  if (matches.length === 0) {
    context.errors.line(printable(`warning: ${pattern}: nothing matches this pattern`));
  }
  return matches.sort();
}

function split(bytes: Buffer, separator: '\n' | '\0'): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(separator); end !== -1; end = bytes.indexOf(separator, start)) {
    pieces.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...pieces, bytes.subarray(start)];
}
