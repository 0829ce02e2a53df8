import { HoldfastError } from '@holdfast/base';
import type { RepositoryId } from '@holdfast/protocol';
import type { JobRecord } from '../jobs/job-record.ts';

export function repositoryOf({ id, repositoryId }: JobRecord): RepositoryId {
  if (repositoryId !== null) return repositoryId;
  throw new HoldfastError('internal', `The job ${id} is of no repository.`);
}
