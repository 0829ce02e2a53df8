import type { Clock } from '@holdfast/base';
import type { EnvironmentId, RepositoryId } from '@holdfast/protocol';
import type { Tx } from '../../catalog/catalog.ts';
import type { JobRecord, MaintenanceKind, NewMaintenance } from '../jobs/job-record.ts';
import { dueCare } from './due.ts';
import type { CareStore } from './store.ts';

/** Who asks for what no user asked for. */
export const byItself = 'holdfast';

/**
 * Queues jobs that look after repositories, in the transaction of what gives cause to. One of a kind that is unfinished
 * already is the answer.
 */
export interface MaintenanceQueue {
  inspectLater(id: RepositoryId, createdBy: string, tx: Tx): Promise<JobRecord | undefined>;
  /** For a user soon; otherwise once a day is over since the last one, at which point `queueDue` of the service sees to it. */
  pruneLater(id: RepositoryId, options: { readonly isAsked: boolean }, tx: Tx): Promise<void>;
  /** Undefined where the catalog has no such repository. */
  enqueue(kind: MaintenanceKind, id: RepositoryId, createdBy: string, tx: Tx): Promise<JobRecord | undefined>;
}

export interface MaintenanceQueueOptions {
  readonly care: CareStore;
  readonly jobs: { createMaintenance(job: NewMaintenance, tx: Tx): Promise<JobRecord> };
  readonly repositories: {
    get(id: RepositoryId, db: Tx): Promise<{ readonly environmentId: EnvironmentId } | undefined>;
  };
  readonly clock: Clock;
}

export function createMaintenanceQueue(options: MaintenanceQueueOptions): MaintenanceQueue {
  const { care, jobs, repositories, clock } = options;

  async function enqueue(
    kind: MaintenanceKind,
    repositoryId: RepositoryId,
    createdBy: string,
    tx: Tx,
  ): Promise<JobRecord | undefined> {
    const repository = await repositories.get(repositoryId, tx);
    if (repository === undefined) return undefined;
    const { environmentId } = repository;
    return await jobs.createMaintenance({ kind, environmentId, repositoryId, createdBy }, tx);
  }

  return {
    enqueue,
    inspectLater: async (id, createdBy, tx) => await enqueue('inspect', id, createdBy, tx),
    pruneLater: async (id, { isAsked }, tx) => {
      // Also where one runs: what was deleted just now it may not have seen.
      await care.wantPrune(id, tx);
      const current = await care.get(id, tx);
      if (current === undefined) return;
      if (isAsked || dueCare(current, clock.now()).includes('prune'))
        await enqueue('prune', id, byItself, tx);
    },
  };
}
