import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { HoldfastError, systemErrorCode } from '@holdfast/base';
import type { CliContext } from '../context.ts';
import type { RepositoryOptions } from './repository-options.ts';

/**
 * Where the repository is: `--repository` or `--repository-file`, else `RESTIC_REPOSITORY` or `RESTIC_REPOSITORY_FILE`.
 *
 * @throws HoldfastError `usage-invalid` when nothing says it, or two things do
 */
export async function repositoryLocation(context: CliContext, options: RepositoryOptions): Promise<string> {
  const { env } = context;
  const given = options.repository ?? options.repo;
  if (given !== undefined || options.repositoryFile !== undefined) {
    return oneOf(context, given, options.repositoryFile);
  }
  return oneOf(context, env.RESTIC_REPOSITORY || undefined, env.RESTIC_REPOSITORY_FILE || undefined);
}

async function oneOf(
  context: CliContext,
  location: string | undefined,
  file: string | undefined,
): Promise<string> {
  if (location !== undefined && file !== undefined) {
    throw new HoldfastError('usage-invalid', 'The repository is named both directly and by a file.', {
      hint: 'Give one of the two.',
    });
  }
  if (location !== undefined) return location;
  if (file !== undefined) return readLocation(resolve(context.folder, file));
  throw new HoldfastError('usage-invalid', 'Nothing says which repository is meant.', {
    hint: 'Give --repository PATH, or set RESTIC_REPOSITORY.',
  });
}

async function readLocation(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new HoldfastError(
      'usage-invalid',
      `The repository file ${file} cannot be read (${systemErrorCode(error) ?? 'unknown reason'}).`,
      { hint: 'Check --repository-file and RESTIC_REPOSITORY_FILE.', cause: error },
    );
  }
}
