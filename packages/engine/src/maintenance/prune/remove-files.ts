import { type Abortable, throwIfAborted } from '@holdfast/base';
import type { Backend, FileName } from '../../backend/backend.ts';
import type { RepositoryLock } from '../../repository/repository-lock.ts';

const removalsAtOnce = 8;
const confirmEvery = 100;

export interface RemoveFilesOptions extends Abortable {
  readonly lock: RepositoryLock;
  readonly onRemoved?: (() => void) | undefined;
}

/**
 * Removes files in their order, several at once. The lock's file is looked for before the first, and now and then.
 * @throws HoldfastError `repository-lock-lost`
 */
export async function removeFiles(
  backend: Backend,
  files: readonly FileName[],
  { lock, signal, onRemoved }: RemoveFilesOptions,
): Promise<void> {
  await lock.confirm({ signal });
  let next = 0;
  const work = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      throwIfAborted(signal);
      if (next % confirmEvery === 0) await lock.confirm({ signal });
      else lock.assertHeld();
      await backend.remove(file, { signal });
      onRemoved?.();
    }
  };
  const stopOthers = (): void => {
    next = files.length;
  };
  const workers = Array.from({ length: removalsAtOnce }, work);
  for (const worker of workers) worker.catch(stopOthers);
  await settleAll(workers);
}

/** Nothing goes on behind the back of who gets the first failure. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
