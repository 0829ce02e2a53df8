import { HoldfastError, throwIfAborted } from '@holdfast/base';
import type { ImportTask } from '@holdfast/protocol';
import type { ImportSettings } from '../../../config/load-config.ts';
import type { Milestones } from '../../../runner/milestones.ts';
import type { Sealer } from '../../../secrets/sealer.ts';
import type { EnvironmentService } from '../../environments/service.ts';
import type { JobEnd, JobHandler, JobRun } from '../../jobs/execution/job-handler.ts';
import type { TaskBase, TaskRuns } from '../../jobs/execution/task-runs.ts';
import type { JobRecord, JobRequest } from '../../jobs/job-record.ts';
import type { RepositoryService } from '../../repositories/service.ts';
import type { UploadService } from '../../uploads/service.ts';
import type { BackupWithParts } from '../backup-record.ts';
import { committedBackup, manifestOf } from '../capture/backup-task.ts';
import type { BackupStore } from '../store.ts';
import { importPlaces, requireImportPossible } from './plan-import.ts';

export interface ImportHandlerOptions {
  readonly environments: Pick<EnvironmentService, 'survey'>;
  readonly repositories: Pick<RepositoryService, 'access' | 'markInitialized'>;
  readonly uploads: Pick<UploadService, 'use' | 'remove'>;
  readonly backups: BackupStore;
  readonly taskRuns: TaskRuns;
  readonly sealer: Sealer;
  readonly settings: ImportSettings;
}

/**
 * Makes backups of what comes from outside: `importing` → all of it taken in, read and checked → commit → `ready`. The app
 * plays no part in it: it goes on as it was.
 */
export function createImportHandler(options: ImportHandlerOptions): JobHandler {
  const { backups, taskRuns, repositories } = options;
  return {
    run: async (run) => {
      const backup = await requireBackup(backups, run.job);
      await backups.markImporting(backup.id);
      const spec = await prepare(options, run, backup);
      run.step('Taking in the source');
      const mover = await taskRuns.start(run, 'import', spec);
      try {
        mover.send({ type: 'go' });
        await mover.waitFor('sealed', run);
        await repositories.markInitialized(backup.repositoryId);
        throwIfAborted(run.signal);
        run.step('Writing the manifest');
        mover.send({ type: 'commit' });
        await mover.waitFor('committed');
        await mover.exited;
        return await endOf(options, run.job, mover.milestones);
      } finally {
        await taskRuns.end(mover);
      }
    },

    recover: async (run) => {
      const backup = await requireBackup(backups, run.job);
      for (const { milestones } of await taskRuns.settle(run.job.id, run)) {
        if (milestones.committed === undefined) continue;
        await repositories.markInitialized(backup.repositoryId);
        return await endOf(options, run.job, milestones);
      }
      throw new HoldfastError('server-lost', 'The server was gone before the import was complete.', {
        hint: 'Import it again.',
      });
    },

    recordFailure: async ({ backupId }, error, tx) => {
      if (backupId === null) return;
      if (error.code === 'interrupted') await backups.markCancelled(backupId, tx);
      else await backups.markFailed(backupId, error.toReport(), tx);
    },
  };
}

/** Looks at the environment anew: since the import was asked for, it may have changed. */
async function prepare(
  { environments, repositories, uploads, sealer, settings }: ImportHandlerOptions,
  run: JobRun,
  backup: BackupWithParts,
): Promise<(base: TaskBase) => ImportTask> {
  const { component, part, source } = requestOf(run.job);
  run.step('Looking at the environment');
  const survey = await environments.survey(run.job.environmentId, run);
  requireImportPossible(survey, { component, part });
  const access = await repositories.access(backup.repositoryId);
  const { repository, isInitialized, recoveryPassword } = access;
  const { allowedRanges, limitBytes: bytes, limitMs: durationMs, archiveLimits: archive } = settings;
  const taken: ImportTask['source'] =
    source.kind === 'url'
      ? { kind: 'url', url: sealer.unseal(source.sealedUrl, backup.id), allowedRanges: [...allowedRanges] }
      : { kind: 'file', path: await uploads.use(source.uploadId) };
  return (base) => ({
    ...base,
    kind: 'import',
    repository,
    manifest: manifestOf({ backup, mode: backup.mode, environment: survey.record }),
    initialize: isInitialized ? null : { recoveryPassword },
    source: taken,
    limits: { bytes, durationMs, archive: { ...archive } },
    places: [...importPlaces(survey)],
    component,
    part,
  });
}

/** What is committed counts, also if the mover was killed before it could say that it is done. */
async function endOf(
  { backups, uploads }: ImportHandlerOptions,
  job: JobRecord,
  milestones: Milestones,
): Promise<JobEnd> {
  const backup = await requireBackup(backups, job);
  const committed = committedBackup(milestones);
  const { source } = requestOf(job);
  // After a failure it stays, to be used again within the day.
  if (source.kind === 'upload') await uploads.remove(source.uploadId);
  return {
    warnings: milestones.result?.warnings ?? [],
    record: async (tx) => void (await backups.markReady(backup.id, committed, tx)),
  };
}

function requestOf({ request }: JobRecord): Extract<JobRequest, { kind: 'import' }> {
  if (request.kind === 'import') return request;
  throw new HoldfastError('internal', 'The job is no import.');
}

async function requireBackup(backups: BackupStore, { id, backupId }: JobRecord): Promise<BackupWithParts> {
  const backup = backupId === null ? undefined : await backups.get(backupId);
  if (backup !== undefined) return backup;
  throw new HoldfastError('internal', `The catalog has no backup for the job ${id}.`);
}
