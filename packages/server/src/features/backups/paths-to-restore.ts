import { HoldfastError } from '@holdfast/base';
import type { BackupWithParts } from './backup-record.ts';
import { namesIn, partOf } from './downloads.ts';

export interface PathsRequest {
  readonly components: readonly string[] | undefined;
  readonly paths: readonly { readonly part: string; readonly path: string }[] | undefined;
}

/**
 * The files and directories that are to be restored, by names from the top of their part; undefined where all are.
 * Whether the part has them is seen when it is read.
 * @throws HoldfastError `path-unknown` for a part that the backup does not have, and for a path in what is one file;
 *   `usage-invalid` for a path that leads up, and for components besides
 */
export function pathsToRestore(
  backup: BackupWithParts,
  { components, paths }: PathsRequest,
): { part: string; names: string[] }[] | undefined {
  if (paths === undefined) return undefined;
  if (components !== undefined) {
    throw new HoldfastError('usage-invalid', 'Name components, or paths: not both.', {
      hint: 'A path begins with the name of a part, which is of all components that mount it.',
    });
  }
  return paths.map(({ part: name, path }) => {
    const part = partOf(backup, name);
    const names = namesIn(path);
    if (part.source.kind === 'command' && names.length > 0) throw notAFolder(backup, name);
    return { part: name, names };
  });
}

function notAFolder({ id }: BackupWithParts, part: string): HoldfastError {
  return new HoldfastError('path-unknown', `${part} of the backup ${id} is what a command printed.`, {
    hint: `It is restored as a whole: name ${part} alone.`,
    context: { backupId: id, part },
  });
}
