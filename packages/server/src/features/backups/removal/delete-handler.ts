import { HoldfastError, isHoldfastError } from '@holdfast/base';
import type { BackupId, RepositoryId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../../catalog/catalog.ts';
import type { Mover } from '../../../runner/mover.ts';
import type { JobEnd, JobHandler, JobRun } from '../../jobs/execution/job-handler.ts';
import type { SettledTask, TaskRuns } from '../../jobs/execution/task-runs.ts';
import { deletedBy, type JobRecord } from '../../jobs/job-record.ts';
import type { RepositoryService } from '../../repositories/service.ts';
import type { BackupWithParts } from '../backup-record.ts';
import type { BackupStore } from '../store.ts';
import type { RemovalStore } from './removal-store.ts';

export interface DeleteHandlerOptions {
  readonly catalog: Catalog;
  readonly backups: BackupStore;
  readonly removals: RemovalStore;
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly taskRuns: TaskRuns;
  /** Snapshots of the repository are gone, and what they needed can go. `isAsked`: a user waits for the room. */
  readonly onRemoved: (repositoryId: RepositoryId, isAsked: boolean, tx: Tx) => Promise<void>;
}

/**
 * Deletes backups: `deleting` → snapshots removed, of each the manifest first → row removed. One mover for each
 * repository removes one backup after the other. Where that is cut off, those that are wholly gone lose their rows, those
 * of which nothing is gone get their status back, and one in between stays `deleting`: deleting it again completes it.
 */
export function createDeleteHandler(options: DeleteHandlerOptions): JobHandler {
  const { catalog, backups, removals, taskRuns, onRemoved } = options;

  async function begin(run: JobRun): Promise<readonly BackupWithParts[]> {
    return await catalog.write(async (tx) => {
      const begun: BackupWithParts[] = [];
      for (const id of deletedBy(run.job)) {
        const backup = await backups.get(id, tx);
        if (backup === undefined) continue;
        if (!(await backups.markDeleting(id, tx))) throw inUse(backup);
        begun.push(backup);
      }
      return begun;
    });
  }

  async function removeRows(job: JobRecord, ids: Iterable<BackupId>, tx: Tx): Promise<void> {
    const repositories = new Set<RepositoryId>();
    for (const id of ids) {
      const backup = await backups.get(id, tx);
      if (backup !== undefined) repositories.add(backup.repositoryId);
      await backups.remove(id, tx);
    }
    const isAsked = job.request.kind !== 'delete' || job.request.isAsked;
    for (const id of repositories) await onRemoved(id, isAsked, tx);
  }

  /** Nothing runs any more: what is gone of which? */
  async function settle({ job }: JobRun, tasks: readonly SettledTask[]): Promise<void> {
    const removed = removedBy(tasks);
    const begun = new Set(tasks.flatMap(({ milestones }) => milestones.removing ?? []));
    await catalog.write(async (tx) => {
      await removeRows(job, removed, tx);
      for (const id of deletedBy(job)) {
        if (removed.has(id)) continue;
        if (begun.has(id)) await removals.markCutOff(id, tx);
        else await removals.markKept(id, tx);
      }
    });
  }

  function endOf({ job }: JobRun, warnings: readonly string[]): JobEnd {
    return { warnings, record: async (tx) => await removeRows(job, deletedBy(job), tx) };
  }

  return {
    run: async (run) => {
      const begun = await begin(run);
      if (run.job.request.kind === 'delete') {
        for (const reason of run.job.request.reasons) run.log('info', reason);
      }
      try {
        const warnings: string[] = [];
        for (const [repositoryId, some] of Map.groupBy(begun, (backup) => backup.repositoryId)) {
          warnings.push(...(await forget(options, run, { repositoryId, backupIds: idsOf(some) })));
        }
        return endOf(run, warnings);
      } catch (error) {
        await settle(run, await taskRuns.settle(run.job.id, {}));
        throw error;
      }
    },

    recover: async (run) => {
      const tasks = await taskRuns.settle(run.job.id, run);
      const removed = removedBy(tasks);
      if (deletedBy(run.job).every((id) => removed.has(id))) {
        return endOf(
          run,
          tasks.flatMap(({ milestones }) => milestones.result?.warnings ?? []),
        );
      }
      await settle(run, tasks);
      throw new HoldfastError('server-lost', 'The server was gone before all was deleted.', {
        hint: 'Delete again what is still there.',
      });
    },

    // What lost nothing has its status back already.
    recordFailure: async () => {},
  };
}

interface RemovalOf {
  readonly repositoryId: RepositoryId;
  readonly backupIds: BackupId[];
}

async function forget(
  { repositories, taskRuns }: DeleteHandlerOptions,
  run: JobRun,
  { repositoryId, backupIds }: RemovalOf,
): Promise<readonly string[]> {
  const { repository, isInitialized } = await repositories.access(repositoryId);
  run.step(backupIds.length === 1 ? 'Removing its snapshots' : `Removing ${backupIds.length} backups`);
  const mover = await taskRuns.start(run, 'forget', (base) => ({
    ...base,
    kind: 'forget',
    backupIds,
    repository,
  }));
  using _ = passCancel(run, mover);
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

/** A mover that has begun ends between two backups when it is cancelled; it goes on alone when this server stops. */
function passCancel({ signal }: JobRun, mover: Mover): Disposable {
  const pass = (): void => {
    if (isHoldfastError(signal.reason, 'interrupted')) mover.send({ type: 'cancel' });
  };
  signal.addEventListener('abort', pass, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', pass) };
}

function removedBy(tasks: readonly SettledTask[]): ReadonlySet<BackupId> {
  return new Set(tasks.flatMap(({ milestones }) => milestones.removed ?? []));
}

function idsOf(backups: readonly BackupWithParts[]): BackupId[] {
  return backups.map(({ id }) => id);
}

function inUse({ id, status }: BackupWithParts): HoldfastError {
  return new HoldfastError('backup-not-ready', `The backup ${id} is ${status}: it cannot be deleted now.`, {
    hint: 'Wait until it is over, or cancel its job.',
    context: { backupId: id, status },
  });
}
