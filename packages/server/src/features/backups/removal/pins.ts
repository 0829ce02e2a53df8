import { HoldfastError } from '@holdfast/base';
import type { Catalog } from '../../../catalog/catalog.ts';
import type { JobRecord } from '../../jobs/job-record.ts';
import type { JobService } from '../../jobs/service.ts';
import { findBackup } from '../find-backup.ts';
import type { BackupStore } from '../store.ts';

/**
 * Pins keep backups from every rule. One counts at once; a job writes it into the manifest, so that a catalog that is
 * rebuilt from the vault knows it too.
 */
export interface PinService {
  /**
   * @param reason null: not pinned any more
   * @throws HoldfastError `backup-unknown`, `usage-invalid`, `backup-not-ready`, `environment-busy`
   */
  set(idOrPrefix: string, reason: string | null, createdBy: string): Promise<JobRecord>;
}

export interface PinServiceOptions {
  readonly catalog: Catalog;
  readonly store: BackupStore;
  readonly jobs: Pick<JobService, 'enqueue' | 'wake'>;
}

export function createPinService({ catalog, store, jobs }: PinServiceOptions): PinService {
  return {
    set: async (idOrPrefix, reason, createdBy) => {
      const { id, status, environmentId } = await findBackup(store, idOrPrefix);
      if (status !== 'ready' && status !== 'damaged') {
        throw new HoldfastError('backup-not-ready', `The backup ${id} is ${status}: nothing pins it.`, {
          context: { backupId: id, status },
        });
      }
      const job = await catalog.write(async (tx) => {
        await store.setPin(id, reason, tx);
        return await jobs.enqueue(
          {
            kind: 'revise',
            environmentId,
            backupId: id,
            request: { kind: 'revise', pinReason: reason },
            createdBy,
          },
          tx,
        );
      });
      jobs.wake();
      return job;
    },
  };
}
