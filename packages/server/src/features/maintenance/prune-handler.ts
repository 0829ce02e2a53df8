import { HoldfastError } from '@holdfast/base';
import type { JobEnd, JobHandler, JobRun } from '../jobs/execution/job-handler.ts';
import type { TaskRuns } from '../jobs/execution/task-runs.ts';
import type { RepositoryService } from '../repositories/service.ts';
import { repositoryOf } from './repository-of-job.ts';
import type { CareStore } from './store.ts';

export interface PruneHandlerOptions {
  readonly care: Pick<CareStore, 'notePruned'>;
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly taskRuns: TaskRuns;
}

/** Makes room: what no backup needs goes. Cut off at any moment it leaves every backup whole, and the next completes it. */
export function createPruneHandler({ care, repositories, taskRuns }: PruneHandlerOptions): JobHandler {
  function endOf({ job }: JobRun, warnings: readonly string[]): JobEnd {
    return {
      warnings,
      record: async (tx) => await care.notePruned(repositoryOf(job), job.startedAtMs, tx),
    };
  }

  return {
    run: async (run) => {
      const { repository, isInitialized } = await repositories.access(repositoryOf(run.job));
      if (!isInitialized) return endOf(run, []);
      run.step('Removing what no backup needs');
      const mover = await taskRuns.start(run, 'prune', (base) => ({ ...base, kind: 'prune', repository }));
      try {
        mover.send({ type: 'go' });
        return endOf(run, await mover.waitForSuccess(run));
      } finally {
        await taskRuns.end(mover);
      }
    },

    recover: async (run) => {
      const tasks = await taskRuns.settle(run.job.id, run);
      const result = tasks.at(-1)?.milestones.result;
      if (result?.outcome === 'done' || result?.outcome === 'warnings') return endOf(run, result.warnings);
      throw new HoldfastError('server-lost', 'The server was gone before the repository was pruned.', {
        hint: 'No backup has lost anything by that; the next prune completes it.',
      });
    },

    // What ended with the server is still due.
    recordFailure: async (job, error, tx) => {
      if (error.code !== 'server-lost') await care.notePruned(repositoryOf(job), null, tx);
    },
  };
}
