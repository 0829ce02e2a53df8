import { isHoldfastError } from '@holdfast/base';
import { initRepository, openAtLocation, openBackend, type Repository } from '@holdfast/engine';
import type { BackupTask } from '@holdfast/protocol';
import type { TaskContext } from './task-context.ts';

/** A location that held a repository once gets no new one: what is missing there has to be seen. */
export async function openOrInitialize(
  task: Pick<BackupTask, 'repository' | 'initialize'>,
  context: TaskContext,
): Promise<Repository> {
  const { signal } = context;
  try {
    return await openAtLocation(task.repository, { signal });
  } catch (error) {
    if (task.initialize === null || !isHoldfastError(error, 'repository-missing')) throw error;
  }
  const { location, password, storage } = task.repository;
  context.info(`Making the repository ${location}`);
  return await initRepository({
    backend: openBackend(location, storage),
    passwords: [password, task.initialize.recoveryPassword],
    signal,
  });
}
