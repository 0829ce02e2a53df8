import type { Abortable } from '@holdfast/base';
import {
  defaultCacheDirectory,
  isRemoteLocation,
  openBackend,
  openRepository,
  type Repository,
} from '@holdfast/engine';
import type { DataRequest } from '@holdfast/protocol';

/** As long as somebody may prune. */
const lockWaitMs = 60_000;

/** A repository to read, of which nothing is removed meanwhile. Disposing gives its lock back. */
export interface ReadRepository extends AsyncDisposable {
  readonly repository: Repository;
  /** Fires when the work has to stop or the lock is lost. */
  readonly signal: AbortSignal;
}

/** @throws HoldfastError `repository-missing`, `password-wrong`, `repository-locked` and whatever else opening throws */
export async function openToRead(
  { repository: { location, password } }: DataRequest,
  { signal }: Required<Abortable>,
): Promise<ReadRepository> {
  const cacheDirectory = isRemoteLocation(location) ? defaultCacheDirectory() : undefined;
  const repository = await openRepository({
    backend: openBackend(location),
    password,
    cacheDirectory,
    signal,
  });
  const lock = await repository.lock('shared', { signal, waitMs: lockWaitMs });
  const stack = new AsyncDisposableStack();
  stack.defer(async () => await lock.release());
  try {
    await repository.refreshIndex({ signal });
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return {
    repository,
    signal: signal === undefined ? lock.signal : AbortSignal.any([signal, lock.signal]),
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}
