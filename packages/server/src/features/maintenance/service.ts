import type { RepositoryId, VaultId } from '@holdfast/protocol';
import type { Catalog } from '../../catalog/catalog.ts';
import type { JobRecord } from '../jobs/job-record.ts';
import type { JobService } from '../jobs/service.ts';
import type { VaultService } from '../vaults/service.ts';
import { dueCare } from './due.ts';
import { byItself, type MaintenanceQueue } from './queue.ts';
import type { CareStore } from './store.ts';

/** Looks after repositories: finds what is lost, and makes room. */
export interface MaintenanceService {
  /** Undefined where there is no such repository. */
  inspectLater(id: RepositoryId, createdBy: string): Promise<JobRecord | undefined>;
  /** `isAsked`: soon; otherwise a day after the last one at the earliest. */
  pruneLater(id: RepositoryId, options: { readonly isAsked: boolean }): Promise<void>;
  /** An inspection of each repository that the vault holds. @throws HoldfastError `vault-unknown` */
  checkVault(idOrName: string, createdBy: string): Promise<readonly JobRecord[]>;
  /** Queues what is due now. To be called from time to time. */
  queueDue(): Promise<void>;
}

export interface MaintenanceServiceOptions {
  readonly catalog: Catalog;
  readonly care: CareStore;
  readonly queue: MaintenanceQueue;
  readonly jobs: Pick<JobService, 'wake'>;
  readonly vaults: Pick<VaultService, 'find'>;
  readonly now: () => number;
}

export function createMaintenanceService(options: MaintenanceServiceOptions): MaintenanceService {
  const { catalog, care, queue, jobs, vaults, now } = options;

  async function inspectAll(vaultId: VaultId, createdBy: string): Promise<readonly JobRecord[]> {
    const repositories = await care.list(vaultId);
    return await catalog.write(async (tx) => {
      const queued: JobRecord[] = [];
      for (const { repositoryId } of repositories) {
        const job = await queue.inspectLater(repositoryId, createdBy, tx);
        if (job !== undefined) queued.push(job);
      }
      return queued;
    });
  }

  return {
    inspectLater: async (id, createdBy) => {
      const job = await catalog.write(async (tx) => await queue.inspectLater(id, createdBy, tx));
      jobs.wake();
      return job;
    },

    pruneLater: async (id, asked) => {
      await catalog.write(async (tx) => await queue.pruneLater(id, asked, tx));
      jobs.wake();
    },

    checkVault: async (idOrName, createdBy) => {
      const queued = await inspectAll((await vaults.find(idOrName)).id, createdBy);
      jobs.wake();
      return queued;
    },

    queueDue: async () => {
      const due = (await care.list()).flatMap((each) =>
        dueCare(each, now()).map((kind) => ({ kind, id: each.repositoryId })),
      );
      for (const { kind, id } of due) {
        await catalog.write(async (tx) => await queue.enqueue(kind, id, byItself, tx));
      }
      if (due.length > 0) jobs.wake();
    },
  };
}
