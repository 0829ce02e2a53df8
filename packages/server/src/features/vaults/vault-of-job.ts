import { HoldfastError, isErrorCode } from '@holdfast/base';
import type { BackupId, RepositoryId, VaultId } from '@holdfast/protocol';
import type { Db } from '../../catalog/catalog.ts';
import type { JobEndings } from '../jobs/execution/work-on-job.ts';
import type { JobRecord } from '../jobs/job-record.ts';
import type { VaultRecord, VaultStore } from './store.ts';
import { vaultMissing } from './vault-errors.ts';
import { isBucket } from './vault-location.ts';

export interface VaultOfJobOptions {
  readonly store: Pick<VaultStore, 'get' | 'markChecked'>;
  readonly backups: {
    get(id: BackupId, db?: Db): Promise<{ readonly repositoryId: RepositoryId } | undefined>;
  };
  readonly repositories: {
    get(id: RepositoryId, db?: Db): Promise<{ readonly vaultId: VaultId } | undefined>;
  };
}

/**
 * What jobs find out about buckets on their way: the server itself does not look at them. A directory is looked at
 * whenever it is asked for.
 */
export function createVaultOfJob({ store, backups, repositories }: VaultOfJobOptions): JobEndings {
  async function bucketOf(job: JobRecord, db?: Db): Promise<VaultRecord | undefined> {
    const backup = job.backupId === null ? undefined : await backups.get(job.backupId, db);
    const repositoryId = backup?.repositoryId ?? job.repositoryId;
    const repository = repositoryId === null ? undefined : await repositories.get(repositoryId, db);
    const vault = repository === undefined ? undefined : await store.get(repository.vaultId, db);
    return vault !== undefined && isBucket(vault.location) ? vault : undefined;
  }

  return {
    explain: async (job, failure) => {
      if (!isOfStorage(failure.code)) return failure;
      const vault = await bucketOf(job);
      return vault === undefined ? failure : explainFor(vault, failure);
    },

    record: async (job, { error }, tx) => {
      if (error !== null && !isOfStorage(error.code)) return;
      const provesStorage = job.kind === 'backup' || job.kind === 'restore' || job.kind === 'inspect';
      if (error === null && !provesStorage) return;
      const vault = await bucketOf(job, tx);
      if (vault !== undefined) await store.markChecked(vault.id, error, tx);
    },
  };
}

function isOfStorage(code: string): boolean {
  const isStorage = code.startsWith('storage-') || code === 'vault-missing' || code === 'repository-missing';
  return isStorage && isErrorCode(code);
}

function explainFor(vault: VaultRecord, failure: HoldfastError): HoldfastError {
  switch (failure.code) {
    case 'repository-missing':
    case 'storage-bucket-missing':
      return vaultMissing(vault);
    case 'storage-credentials-wrong':
      return new HoldfastError(failure.code, failure.message, {
        hint: `Where the key was replaced: holdfast vault:update ${vault.name} --key-id ID --key-secret-file FILE.`,
        context: { ...failure.context, vaultId: vault.id },
        cause: failure,
      });
    default:
      return failure;
  }
}
