import { HoldfastError, isHoldfastError } from '@holdfast/base';
import type { BackupId, EnvironmentId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../../catalog/catalog.ts';
import type { EnvironmentService } from '../../environments/service.ts';
import type { JobRecord, NewJob } from '../../jobs/job-record.ts';
import type { JobService } from '../../jobs/service.ts';
import type { BackupWithParts } from '../backup-record.ts';
import { requireDeletePossible } from '../check-request.ts';
import { findBackup, requireUnused } from '../find-backup.ts';
import type { BackupStore } from '../store.ts';

export interface RemoveRequest {
  readonly environmentId: EnvironmentId;
  readonly backupIds: readonly BackupId[];
  readonly createdBy: string;
  /** For the log of the job: which rule, and why. */
  readonly reasons: readonly string[];
  /** Asked in the transaction that queues the job: false where the rule does not hold any more. */
  readonly isWanted?: (tx: Tx) => Promise<boolean>;
}

/**
 * `queued`: the backups that the job removes. Left out are those that are pinned, under way, gone, or needed by a restore.
 * `busy`: the environment has an unfinished job.
 */
export type RemoveOutcome =
  | { readonly kind: 'queued'; readonly job: JobRecord; readonly backupIds: readonly BackupId[] }
  | { readonly kind: 'busy' }
  | { readonly kind: 'nothing' };

/** Where one backup is named: `backup-unknown`, or `usage-invalid` for a beginning of an id that several have. */
export interface RemovalService {
  /**
   * One job, for backups of one environment; all of them, or none.
   * @throws HoldfastError `usage-invalid` for those of several environments; `backup-pinned` for one that is not named by its
   *   whole id; `environment-busy`, `environment-unfinished-restore`
   */
  delete(idsOrPrefixes: readonly string[], createdBy: string): Promise<JobRecord>;
  /** What a rule asks for. Expected obstacles are answers. */
  removeBackups(request: RemoveRequest): Promise<RemoveOutcome>;
}

export interface RemovalServiceOptions {
  readonly catalog: Catalog;
  readonly store: BackupStore;
  readonly jobs: Pick<JobService, 'enqueue' | 'tryEnqueue' | 'unfinishedWith' | 'wake'>;
  readonly environments: Pick<EnvironmentService, 'findUnfinished'>;
}

export function createRemovalService({
  catalog,
  store,
  jobs,
  environments,
}: RemovalServiceOptions): RemovalService {
  async function requireRemovable(backup: BackupWithParts, tx: Tx): Promise<void> {
    await requireUnused(backup, 'restore', { store, jobs, tx });
  }

  /** Those that may go by a rule, looked at in the transaction that queues their job. */
  async function removableOf({ environmentId, backupIds }: RemoveRequest, tx: Tx): Promise<BackupId[]> {
    const removable: BackupId[] = [];
    for (const id of backupIds) {
      const backup = await store.get(id, tx);
      if (backup?.environmentId !== environmentId || backup.pinReason !== null) continue;
      if (['queued', 'running', 'importing'].includes(backup.status)) continue;
      if (await isFree(backup, tx)) removable.push(id);
    }
    return removable;
  }

  async function isFree(backup: BackupWithParts, tx: Tx): Promise<boolean> {
    try {
      await requireRemovable(backup, tx);
      return true;
    } catch (error) {
      if (isHoldfastError(error, 'environment-busy')) return false;
      throw error;
    }
  }

  /** A restore that was cut off needs its backup to be completed. */
  async function notNeeded(ids: readonly BackupId[]): Promise<readonly BackupId[]> {
    const free: BackupId[] = [];
    for (const id of ids) if ((await environments.findUnfinished(id)) === undefined) free.push(id);
    return free;
  }

  return {
    delete: async (idsOrPrefixes, createdBy) => {
      const backups = new Map<BackupId, BackupWithParts>();
      for (const idOrPrefix of idsOrPrefixes) {
        const backup = await findBackup(store, idOrPrefix);
        if (backup.pinReason !== null && backup.id !== idOrPrefix) throw pinned(backup);
        requireDeletePossible(await environments.findUnfinished(backup.id));
        backups.set(backup.id, backup);
      }
      const environmentId = oneEnvironment([...backups.values()]);
      const request = { backupIds: [...backups.keys()], isAsked: true, reasons: [] };
      const job = await catalog.write(async (tx) => {
        for (const backup of backups.values()) await requireRemovable(backup, tx);
        return await jobs.enqueue(deletion(environmentId, createdBy, request), tx);
      });
      jobs.wake();
      return job;
    },

    removeBackups: async (request) => {
      const { environmentId, createdBy, reasons } = request;
      const backupIds = await notNeeded(request.backupIds);
      const outcome = await catalog.write(async (tx): Promise<RemoveOutcome> => {
        if (request.isWanted !== undefined && !(await request.isWanted(tx))) return { kind: 'nothing' };
        const removable = await removableOf({ ...request, backupIds }, tx);
        if (removable.length === 0) return { kind: 'nothing' };
        const asked = { backupIds: removable, isAsked: false, reasons: [...reasons] };
        const job = await jobs.tryEnqueue(deletion(environmentId, createdBy, asked), tx);
        return job === 'busy' ? { kind: 'busy' } : { kind: 'queued', job, backupIds: removable };
      });
      if (outcome.kind === 'queued') jobs.wake();
      return outcome;
    },
  };
}

type DeleteRequest = Omit<Extract<NewJob['request'], { kind: 'delete' }>, 'kind'>;

function deletion(environmentId: EnvironmentId, createdBy: string, request: DeleteRequest): NewJob {
  const backupId = request.backupIds[0] ?? null;
  return { kind: 'delete', environmentId, backupId, request: { kind: 'delete', ...request }, createdBy };
}

function oneEnvironment(backups: readonly BackupWithParts[]): EnvironmentId {
  const [first] = backups;
  if (first !== undefined && backups.every(({ environmentId }) => environmentId === first.environmentId)) {
    return first.environmentId;
  }
  throw new HoldfastError('usage-invalid', 'One request deletes backups of one environment.', {
    hint: 'Make a request for each environment.',
  });
}

function pinned({ id, pinReason }: BackupWithParts): HoldfastError {
  return new HoldfastError('backup-pinned', `The backup ${id} is pinned: ${pinReason ?? ''}`, {
    hint: `Give its whole id to delete it all the same, or unpin it: holdfast backup:unpin ${id}.`,
    context: { backupId: id },
  });
}
