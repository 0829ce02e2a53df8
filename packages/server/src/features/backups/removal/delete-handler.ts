import { HoldfastError, isHoldfastError } from '@holdfast/base';
import type { BackupId } from '@holdfast/protocol';
import type { JobEnd, JobHandler, JobRun } from '../../jobs/execution/job-handler.ts';
import type { TaskRuns } from '../../jobs/execution/task-runs.ts';
import type { RepositoryService } from '../../repositories/service.ts';
import type { BackupWithParts } from '../backup-record.ts';
import type { BackupStore } from '../store.ts';
import type { RemovalStore } from './removal-store.ts';

export interface DeleteHandlerOptions {
  readonly backups: BackupStore;
  readonly removals: RemovalStore;
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly taskRuns: TaskRuns;
}

/**
 * Deletes backups: `deleting` → snapshots removed, the manifest first → row removed. What fails before the first
 * snapshot goes gives the backup its status back; after that it stays `deleting`, and deleting it again completes it.
 */
export function createDeleteHandler(options: DeleteHandlerOptions): JobHandler {
  const { backups, removals, taskRuns } = options;

  /** Nothing runs any more; was a snapshot removed? */
  async function keepIfWhole(run: JobRun, backupId: BackupId): Promise<void> {
    const settled = await taskRuns.settle(run.job.id, {});
    const hasBegun = settled.some(({ milestones }) => milestones.committed !== undefined);
    if (!hasBegun) await removals.markKept(backupId);
  }

  function endOf(backupId: BackupId, warnings: readonly string[]): JobEnd {
    return {
      warnings,
      record: async (tx) => {
        await backups.remove(backupId, tx);
      },
    };
  }

  return {
    run: async (run) => {
      const { backupId } = run.job;
      const backup = backupId === null ? undefined : await backups.get(backupId);
      if (backup === undefined) return { warnings: [], record: async () => {} };
      if (!(await backups.markDeleting(backup.id))) throw inUse(backup);
      try {
        return endOf(backup.id, await forget(options, run, backup));
      } catch (error) {
        await keepIfWhole(run, backup.id);
        throw error;
      }
    },

    recover: async (run) => {
      const { backupId } = run.job;
      const settled = await taskRuns.settle(run.job.id, run);
      const result = settled.at(-1)?.milestones.result;
      const isDone = result?.outcome === 'done' || result?.outcome === 'warnings';
      if (backupId !== null && isDone) return endOf(backupId, result.warnings);
      if (backupId !== null) await keepIfWhole(run, backupId);
      throw new HoldfastError('server-lost', 'The server was gone before the backup was deleted.', {
        hint: 'Delete it again.',
      });
    },

    // A backup that lost nothing has its status back already.
    recordFailure: async () => {},
  };
}

async function forget(
  { repositories, taskRuns }: DeleteHandlerOptions,
  run: JobRun,
  backup: BackupWithParts,
): Promise<readonly string[]> {
  const { repository, isInitialized } = await repositories.access(backup.repositoryId);
  run.step('Removing its snapshots');
  const mover = await taskRuns.start(run, 'forget', (base) => ({
    ...base,
    kind: 'forget',
    backupId: backup.id,
    repository,
  }));
  try {
    mover.send({ type: 'go' });
    await mover.waitFor('committed', run);
    return await mover.waitForSuccess();
  } catch (error) {
    // A first backup that failed early left no repository, and nothing in it.
    if (isHoldfastError(error, 'repository-missing') && !isInitialized) return [];
    throw error;
  } finally {
    await taskRuns.end(mover);
  }
}

function inUse({ id, status }: BackupWithParts): HoldfastError {
  return new HoldfastError('backup-not-ready', `The backup ${id} is ${status}: it cannot be deleted now.`, {
    hint: 'Wait until it is over, or cancel its job.',
    context: { backupId: id, status },
  });
}
