import { HoldfastError } from '@holdfast/base';
import type { BackupId, ErrorReportBody, InspectedBackup, RepositoryId, VaultId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../catalog/catalog.ts';
import type { JobEnd, JobHandler, JobRun } from '../jobs/execution/job-handler.ts';
import type { TaskRuns } from '../jobs/execution/task-runs.ts';
import type { Notify } from '../notifications/tell-of-jobs.ts';
import type { RepositoryService } from '../repositories/service.ts';
import type { VaultService } from '../vaults/service.ts';
import { repositoryOf } from './repository-of-job.ts';
import type { CareStore } from './store.ts';

interface KeptBackup {
  readonly backupId: BackupId;
  readonly parts: readonly { readonly name: string; readonly snapshotId: string; readonly treeId: string }[];
  readonly isDamaged: boolean;
}

export interface InspectHandlerOptions {
  readonly catalog: Catalog;
  readonly damage: {
    listKept(repositoryId: RepositoryId): Promise<readonly KeptBackup[]>;
    markDamaged(id: BackupId, error: ErrorReportBody, tx: Tx): Promise<void>;
    markWhole(id: BackupId, tx: Tx): Promise<void>;
  };
  readonly care: Pick<CareStore, 'noteInspected'>;
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly vaults: Pick<VaultService, 'get'>;
  readonly notify: Notify;
  readonly now: () => number;
  readonly taskRuns: TaskRuns;
}

/**
 * Finds out which backups lost something behind our back. What was found is in the catalog before the repository's index
 * forgets what is lost: from then on it does not show any more.
 */
export function createInspectHandler(options: InspectHandlerOptions): JobHandler {
  const { catalog, damage, care, repositories, vaults, notify, now, taskRuns } = options;

  async function note(
    run: JobRun,
    {
      vaultId,
      kept,
      lost,
    }: { vaultId: VaultId; kept: readonly KeptBackup[]; lost: readonly InspectedBackup[] },
  ): Promise<void> {
    const { id, name } = await vaults.get(vaultId);
    const losses = new Map(lost.map((backup) => [backup.backupId, backup]));
    const known = new Set(kept.flatMap(({ backupId, isDamaged }) => (isDamaged ? [backupId] : [])));
    const news = lost.filter(({ backupId }) => !known.has(backupId));
    const findings = news.map(
      (each) => `${run.job.environmentName}, ${each.backupId}: ${damageOf(each).message}`,
    );
    const whole = kept.filter(({ backupId, isDamaged }) => isDamaged && !losses.has(backupId));
    await catalog.write(async (tx) => {
      for (const backup of lost) await damage.markDamaged(backup.backupId, damageOf(backup), tx);
      for (const { backupId } of whole) await damage.markWhole(backupId, tx);
      if (findings.length === 0) return;
      await notify({ event: 'vault.damaged', vault: { id, name }, sinceMs: now(), findings }, tx);
    });
    for (const { backupId } of whole) run.log('info', `The backup ${backupId} is whole again`);
  }

  function endOf({ job }: JobRun, warnings: readonly string[]): JobEnd {
    return { warnings, record: async (tx) => await care.noteInspected(repositoryOf(job), tx) };
  }

  return {
    run: async (run) => {
      const repositoryId = repositoryOf(run.job);
      const { vaultId, repository, isInitialized } = await repositories.access(repositoryId);
      if (!isInitialized) return endOf(run, []);
      const kept = await damage.listKept(repositoryId);
      run.step('Looking for what is missing');
      const mover = await taskRuns.start(run, 'inspect', (base) => ({
        ...base,
        kind: 'inspect',
        repository,
        backups: kept.map(({ backupId, parts }) => ({ backupId, parts: [...parts] })),
        isThorough: kept.some(({ isDamaged }) => isDamaged),
      }));
      try {
        mover.send({ type: 'go' });
        await mover.waitFor('sealed', run);
        await note(run, { vaultId, kept, lost: mover.milestones.inspected ?? [] });
        mover.send({ type: 'commit' });
        return endOf(run, await mover.waitForSuccess(run));
      } finally {
        await taskRuns.end(mover);
      }
    },

    recover: async (run) => {
      const tasks = await taskRuns.settle(run.job.id, run);
      const result = tasks.at(-1)?.milestones.result;
      if (result?.outcome === 'done' || result?.outcome === 'warnings') return endOf(run, result.warnings);
      throw new HoldfastError('server-lost', 'The server was gone before the repository was looked at.', {
        hint: 'Have it looked at again: holdfast vault:check.',
      });
    },

    // What ended with the server is still due.
    recordFailure: async (job, error, tx) => {
      if (error.code !== 'server-lost') await care.noteInspected(repositoryOf(job), tx);
    },
  };
}

/** Why the backup is damaged: parts, and in them some of the paths. */
function damageOf({ lost }: InspectedBackup): ErrorReportBody {
  const parts = lost.map(({ part, paths }) => {
    const name = part ?? 'its manifest';
    return paths.length === 0 ? name : `${name} (such as ${paths.join(', ')})`;
  });
  return {
    code: 'blob-missing',
    message: `The repository has lost parts of this backup: ${parts.join('; ')}.`,
    hint: 'The next backup stores again what its sources still have; what is not lost can be restored by stock restic.',
  };
}
