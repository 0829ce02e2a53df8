import { HoldfastError } from '@holdfast/base';
import type { Backup } from '@holdfast/protocol';

export interface PathInBackup {
  readonly part: string;
  readonly path: string;
}

/**
 * What `PART/path/to/file` means: a part's name may have slashes itself, and that of a bind mount begins with `./`.
 * @throws HoldfastError `path-unknown` where no part is meant
 */
export function pathInBackup({ id, parts }: Backup, text: string): PathInBackup {
  const given = plain(text);
  const named = parts
    .map(({ name }) => ({ name, start: plain(name) }))
    .sort((a, b) => b.start.length - a.start.length);
  const part = named.find(({ start }) => given === start || given.startsWith(`${start}/`));
  if (part !== undefined) return { part: part.name, path: given.slice(part.start.length + 1) };
  throw new HoldfastError('path-unknown', `The backup ${id} has no part that ${text} could be in.`, {
    hint: `It has: ${parts.map(({ name }) => name).join(', ')}.`,
    context: { backupId: id },
  });
}

function plain(path: string): string {
  return path.replace(/^(\.?\/)+/, '');
}
