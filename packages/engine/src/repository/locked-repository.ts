import type { Abortable } from '@holdfast/base';
import { type BackendOptions, isRemoteLocation, openBackend } from '../backend/open-backend.ts';
import { defaultCacheDirectory } from '../backend/wrappers/default-cache.ts';
import type { LockConflict, LockKind } from './lock-conflict.ts';
import { openRepository } from './open-repository.ts';
import type { Repository } from './repository.ts';
import type { RepositoryLock } from './repository-lock.ts';

const lockWaitMs = 60_000;

export interface RepositoryAccess {
  /** A directory, `s3:…` or `rest:…`. */
  readonly location: string;
  readonly password: string;
  /** How a bucket is reached, and how fast. Its credentials become part of no message. */
  readonly storage?: BackendOptions | undefined;
  /** Where metadata of remote repositories is kept; `defaultCacheDirectory()` without it. */
  readonly cacheDirectory?: string | undefined;
}

/**
 * Opens a repository where it is; a remote one with a cache.
 * @throws HoldfastError `repository-missing`, `password-wrong` and whatever else opening it throws
 */
export async function openAtLocation(
  { location, password, storage, cacheDirectory = defaultCacheDirectory() }: RepositoryAccess,
  { signal }: Abortable,
): Promise<Repository> {
  return await openRepository({
    backend: openBackend(location, storage),
    password,
    ...(isRemoteLocation(location) ? { cacheDirectory } : {}),
    signal,
  });
}

/** A repository of which nothing is removed meanwhile. Disposing gives the lock back. */
export interface LockedRepository extends AsyncDisposable {
  readonly repository: Repository;
  readonly lock: RepositoryLock;
  /** Fires when the work has to stop or the lock is lost. */
  readonly signal: AbortSignal;
}

/** What waits for a repository can always be told to stop. */
export interface WithSignal {
  readonly signal: AbortSignal;
}

export interface LockWaiting extends WithSignal {
  /** A minute by default. */
  readonly waitMs?: number | undefined;
  /** Called once, when waiting begins. */
  readonly onWait?: ((conflict: LockConflict) => void) | undefined;
  /** `exclusive` for who removes what others may need; `shared` by default. */
  readonly kind?: LockKind | undefined;
}

/** Waits while somebody prunes. @throws HoldfastError `repository-locked` */
export async function lockRepository(
  repository: Repository,
  { signal, kind = 'shared', waitMs = lockWaitMs, onWait }: LockWaiting,
): Promise<LockedRepository> {
  const lock = await repository.lock(kind, { signal, waitMs, onWait });
  return {
    repository,
    lock,
    signal: AbortSignal.any([signal, lock.signal]),
    [Symbol.asyncDispose]: async () => {
      await lock.release();
    },
  };
}

/** A repository to read, with all that was written before. @throws HoldfastError as `openAtLocation` and `lockRepository` */
export async function openToRead(access: RepositoryAccess, waiting: LockWaiting): Promise<LockedRepository> {
  const locked = await lockRepository(await openAtLocation(access, waiting), waiting);
  try {
    await locked.repository.refreshIndex({ signal: locked.signal });
    return locked;
  } catch (error) {
    await locked[Symbol.asyncDispose]();
    throw error;
  }
}
