import { HoldfastError } from '@holdfast/base';
import type { Milestones } from '../../../runner/milestones.ts';
import type { JobEnd, JobHandler, JobRun } from '../../jobs/execution/job-handler.ts';
import type { TaskRuns } from '../../jobs/execution/task-runs.ts';
import type { RepositoryService } from '../../repositories/service.ts';
import type { BackupStore } from '../store.ts';

export interface ReviseHandlerOptions {
  readonly backups: Pick<BackupStore, 'get' | 'markRevised'>;
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly taskRuns: TaskRuns;
}

/** Writes what changed of a backup into its manifest. The revision counts as soon as it is in the repository. */
export function createReviseHandler({ backups, repositories, taskRuns }: ReviseHandlerOptions): JobHandler {
  function endOf({ job }: JobRun, { committed, result }: Milestones): JobEnd | undefined {
    const { backupId } = job;
    const manifestSnapshotId = committed?.manifestSnapshotId;
    if (backupId === null || manifestSnapshotId == null) return undefined;
    return {
      warnings: result?.warnings ?? [],
      record: async (tx) => await backups.markRevised(backupId, manifestSnapshotId, tx),
    };
  }

  async function settled(run: JobRun): Promise<JobEnd | undefined> {
    const tasks = await taskRuns.settle(run.job.id, {});
    return endOf(run, tasks.at(-1)?.milestones ?? {});
  }

  async function revise(run: JobRun): Promise<void> {
    const { backupId, request } = run.job;
    const backup = backupId === null ? undefined : await backups.get(backupId);
    if (request.kind !== 'revise' || backup === undefined) {
      throw new HoldfastError('internal', `The catalog has no backup for the job ${run.job.id}.`);
    }
    const { pinReason } = request;
    const { repository } = await repositories.access(backup.repositoryId);
    run.step('Writing its manifest anew');
    const mover = await taskRuns.start(run, 'revise', (base) => ({
      ...base,
      kind: 'revise',
      backupId: backup.id,
      repository,
      pinReason,
    }));
    try {
      mover.send({ type: 'go' });
      await mover.waitFor('committed', run);
      await mover.waitForSuccess();
    } finally {
      await taskRuns.end(mover);
    }
  }

  return {
    run: async (run) => {
      let failure: unknown;
      try {
        await revise(run);
      } catch (error) {
        failure = error;
      }
      const end = await settled(run);
      if (end === undefined) throw failure;
      return end;
    },

    recover: async (run) => {
      const end = await settled(run);
      if (end !== undefined) return end;
      throw new HoldfastError('server-lost', 'The server was gone before the manifest was written anew.', {
        hint: 'Ask for it again.',
      });
    },

    recordFailure: async () => {},
  };
}
