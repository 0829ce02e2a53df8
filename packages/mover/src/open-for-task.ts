import type { Abortable } from '@holdfast/base';
import {
  defaultCacheDirectory,
  isRemoteLocation,
  openBackend,
  openRepository,
  type Repository,
  type RepositoryLock,
} from '@holdfast/engine';
import type { TaskSpec } from '@holdfast/protocol';

/** A repository under a shared lock. Disposing gives the lock back. */
export interface LockedRepository extends AsyncDisposable {
  readonly repository: Repository;
  readonly lock: RepositoryLock;
  /** Fires when the task has to stop or the lock is lost. */
  readonly signal: AbortSignal;
}

export interface LockForTaskOptions {
  readonly signal: AbortSignal;
  /** How long to wait while somebody prunes. */
  readonly waitMs: number;
}

/** @throws HoldfastError `repository-missing`, `password-wrong` and whatever else opening it throws */
export async function openExisting(
  { repository: { location, password } }: Pick<TaskSpec, 'repository'>,
  { signal }: Abortable,
): Promise<Repository> {
  const cacheDirectory = isRemoteLocation(location) ? defaultCacheDirectory() : undefined;
  return await openRepository({ backend: openBackend(location), password, cacheDirectory, signal });
}

/** @throws HoldfastError `repository-locked` */
export async function lockForTask(
  repository: Repository,
  { signal, waitMs }: LockForTaskOptions,
): Promise<LockedRepository> {
  const lock = await repository.lock('shared', { signal, waitMs });
  return {
    repository,
    lock,
    signal: AbortSignal.any([signal, lock.signal]),
    [Symbol.asyncDispose]: async () => {
      await lock.release();
    },
  };
}
