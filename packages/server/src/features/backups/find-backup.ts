import { HoldfastError } from '@holdfast/base';
import type { Tx } from '../../catalog/catalog.ts';
import type { JobRecord } from '../jobs/job-record.ts';
import type { JobService } from '../jobs/service.ts';
import type { BackupWithParts } from './backup-record.ts';
import type { BackupStore } from './store.ts';

/**
 * The backup that a user means by its id, or the beginning of it.
 * @throws HoldfastError `backup-unknown`, or `usage-invalid` for a beginning of an id that several have
 */
export async function findBackup(
  store: Pick<BackupStore, 'find'>,
  idOrPrefix: string,
): Promise<BackupWithParts> {
  const match = await store.find(idOrPrefix);
  switch (match.found) {
    case 'one':
      return match.backup;
    case 'none':
      throw new HoldfastError('backup-unknown', `There is no backup ${idOrPrefix}.`, {
        hint: 'holdfast backup:list shows the backups that there are.',
        context: { backup: idOrPrefix },
      });
    case 'several':
      throw new HoldfastError('usage-invalid', `The ids of several backups begin with ${idOrPrefix}.`, {
        hint: `Write more of it: ${match.ids.join(', ')}.`,
        context: { ids: [...match.ids] },
      });
  }
}

export interface UseOptions {
  readonly store: Pick<BackupStore, 'hold'>;
  readonly jobs: Pick<JobService, 'unfinishedWith'>;
  readonly tx: Tx;
}

/**
 * What works with a backup may be a job of another environment: nothing else keeps the two apart.
 * @throws HoldfastError `environment-busy`
 */
export async function requireUnused(
  { id }: BackupWithParts,
  kind: 'restore' | 'delete',
  { store, jobs, tx }: UseOptions,
): Promise<void> {
  await store.hold(id, tx);
  const job = await jobs.unfinishedWith(id, kind, tx);
  if (job !== undefined) throw backupInUse(id, job);
}

function backupInUse(
  id: BackupWithParts['id'],
  { id: jobId, kind, state, environmentName }: JobRecord,
): HoldfastError {
  return new HoldfastError(
    'environment-busy',
    `The ${kind} job ${jobId} of ${environmentName} works with the backup ${id}, and is ${state}.`,
    {
      hint: `Wait for it (holdfast job:watch ${jobId}) or stop it (holdfast job:cancel ${jobId}).`,
      context: { backupId: id, jobId },
    },
  );
}
