import { isHoldfastError } from '@holdfast/base';
import { openAtLocation, type Repository } from '@holdfast/engine';
import type { RepositoryAccess } from '@holdfast/protocol';
import type { TaskContext } from './task-context.ts';

/** Lets a password open the repository, unless it does already. */
export async function ensureKey(
  repository: Repository,
  access: RepositoryAccess,
  context: TaskContext,
): Promise<void> {
  try {
    await openAtLocation(access, context);
  } catch (error) {
    if (!isHoldfastError(error, 'password-wrong')) throw error;
    await repository.keys.add(access.password, { signal: context.signal });
  }
}
