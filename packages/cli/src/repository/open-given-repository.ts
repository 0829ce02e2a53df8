import { type LockKind, openRepository, type Repository, type RepositoryLock } from '@holdfast/engine';
import type { CliContext } from '../context.ts';
import { formatDuration } from '../output/quantities.ts';
import { givenBackend } from './given-backend.ts';
import { repositoryLocation } from './repository-location.ts';
import type {
  LockedRepositoryOptions,
  ReadingRepositoryOptions,
  RepositoryOptions,
} from './repository-options.ts';
import { repositoryPassword } from './repository-password.ts';

/** Opens the repository that options and variables name, with the password that they give. */
export async function openGivenRepository(
  context: CliContext,
  options: RepositoryOptions,
): Promise<Repository> {
  const { backend, cacheDirectory } = givenBackend(
    context,
    await repositoryLocation(context, options),
    options,
  );
  const password = await repositoryPassword(context, options, { isNew: false });
  return await openRepository({ backend, password, cacheDirectory, signal: context.interrupts.signal });
}

/** A shared lock, to be released by the caller; says so when it has to wait. */
export async function lockShared(
  context: CliContext,
  repository: Repository,
  options: LockedRepositoryOptions,
): Promise<RepositoryLock> {
  return await lockAs('shared', context, repository, options);
}

/** The same, for what must be alone. */
export async function lockExclusive(
  context: CliContext,
  repository: Repository,
  options: LockedRepositoryOptions,
): Promise<RepositoryLock> {
  return await lockAs('exclusive', context, repository, options);
}

async function lockAs(
  kind: LockKind,
  context: CliContext,
  repository: Repository,
  { retryLock = 0 }: LockedRepositoryOptions,
): Promise<RepositoryLock> {
  return await repository.lock(kind, {
    waitMs: retryLock,
    onWait: () =>
      context.notes.line(`Waiting up to ${formatDuration(retryLock)} for a lock of the repository.`),
    signal: context.interrupts.signal,
  });
}

/** The same, or null where the user wants none. */
export async function lockForReading(
  context: CliContext,
  repository: Repository,
  options: ReadingRepositoryOptions,
): Promise<RepositoryLock | null> {
  return options.lock ? await lockShared(context, repository, options) : null;
}
