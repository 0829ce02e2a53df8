import { type Clock, HoldfastError, throwIfAborted, toHoldfastError } from '@holdfast/base';
import { type BackupId, type BackupTask, componentsOfPart } from '@holdfast/protocol';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import type { Milestones } from '../../runner/milestones.ts';
import type { Mover } from '../../runner/mover.ts';
import { placeParts } from '../../runner/place-parts.ts';
import type { ServerPlace } from '../../runner/server-place.ts';
import { type EnvironmentSurvey, imagesOf, type SurveyedMount } from '../environments/survey.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import type { SettledTask, TaskRuns } from '../jobs/execution/task-runs.ts';
import type { RepositoryService } from '../repositories/service.ts';
import type { BackupWithParts } from './backup-record.ts';
import { backupTask, committedBackup } from './capture/backup-task.ts';
import { type CapturePart, captureOf } from './capture/plan-capture.ts';
import { type CodeLimits, noCode, type PlannedCode, placesOfCode, planCode } from './capture/plan-code.ts';
import { planCommands } from './capture/plan-commands.ts';
import { expiryOf } from './expiry.ts';
import type { BackupStore } from './store.ts';

/** How long a safety backup is kept. */
const retention = '7d';

export interface SafetyBackupRequest {
  readonly survey: EnvironmentSurvey;
  /** What the restore will write to: all of each is kept. */
  readonly overwritten: readonly SurveyedMount[];
  /** Of these, what their backup commands print is kept, if they have one. */
  readonly commandsOf: readonly string[];
  /** Where those run; null: the first healthy one of each component. */
  readonly instance: string | null;
  /** The backup that is restored. */
  readonly restored: BackupWithParts;
  /** Whether containers are replaced, so that what they are is kept too; and whether the project's folder is. */
  readonly code: 'none' | 'containers' | 'all';
}

/** The exact state that a restore is about to overwrite, as a backup of its own. */
export interface SafetyBackup extends AsyncDisposable {
  /**
   * With everything stopped that writes: reads what changed since, and has the backup ready. Then disposing only tidies
   * up; before, it removes all but debris of it.
   * @throws HoldfastError what ended it
   */
  complete(): Promise<void>;
}

/**
 * Safety backups are made by the job of the restore:
 *
 *     begin: row → mover → all read, while the app runs    complete: (app stopped) → what changed → ready
 */
export interface SafetyBackups {
  /**
   * Undefined where there is nothing to keep.
   * @throws HoldfastError what ended it
   */
  begin(run: JobRun, request: SafetyBackupRequest): Promise<SafetyBackup | undefined>;
  /** Takes over what a mover of a server that is gone has committed, and forgets the rest. */
  recover(run: JobRun, settled: readonly SettledTask[]): Promise<void>;
}

export interface SafetyBackupsOptions {
  readonly catalog: Catalog;
  readonly store: BackupStore;
  readonly repositories: Pick<RepositoryService, 'access' | 'ensureFor' | 'markInitialized'>;
  readonly taskRuns: TaskRuns;
  readonly serverPlace: ServerPlace;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly codeLimits: CodeLimits;
}

export function createSafetyBackups(options: SafetyBackupsOptions): SafetyBackups {
  const { store, taskRuns } = options;
  return {
    begin: async (run, request) => {
      const contents = await contentsOf(options, run, request);
      const { parts, commands, code } = contents;
      if (parts.length === 0 && commands.length === 0 && code.code === null) return undefined;
      run.step('Reading what will be overwritten');
      const backup = await createRow(options, run, { request, contents });
      let mover: Mover | undefined;
      const end = async (): Promise<void> => {
        if (mover !== undefined) await taskRuns.end(mover);
        await takeOverOrForget(options, backup.id, mover?.milestones ?? {});
      };
      try {
        mover = await startMover(options, run, { request, contents, backup });
        mover.send({ type: 'go' });
        await mover.waitFor(backup.mode === 'live' ? 'sealed' : 'precopied', run);
      } catch (error) {
        await end();
        throwIfAborted(run.signal);
        throw notKept(error);
      }
      return {
        complete: async () => await complete(options, run, { mover, backup }),
        [Symbol.asyncDispose]: end,
      };
    },

    recover: async (run, settled) => {
      const backup = await store.safetyOf(run.job.id);
      if (backup === undefined) return;
      const milestones = settled.find(({ task }) => task.kind === 'backup')?.milestones ?? {};
      if (backup.status !== 'ready') await takeOverOrForget(options, backup.id, milestones);
    },
  };
}

interface Contents {
  readonly parts: readonly CapturePart[];
  readonly commands: BackupTask['commands'];
  readonly code: PlannedCode;
}

async function contentsOf(
  { store, codeLimits: limits }: SafetyBackupsOptions,
  run: JobRun,
  request: SafetyBackupRequest,
): Promise<Contents> {
  const { survey, overwritten, commandsOf, instance } = request;
  const lastParts = await store.lastReadyParts(survey.record.id);
  const parts = overwritten.flatMap((mount) => captureOf(mount, { lastParts, allowEmpty: true }));
  const commands = planCommands(survey, { components: commandsOf, instance });
  if (request.code === 'none') return { parts, commands, code: noCode };
  const taken = [...parts, ...commands].map(({ name }) => name);
  const isFolderRequired = request.code === 'all';
  const choice = { run, components: null, lastParts, taken, limits, isFolderRequired };
  return { parts, commands, code: await planCode(survey, choice) };
}

interface Begun {
  readonly request: SafetyBackupRequest;
  readonly contents: Contents;
}

async function createRow(
  { catalog, store, repositories, clock, ids }: SafetyBackupsOptions,
  run: JobRun,
  { request: { survey, restored }, contents: { parts, commands } }: Begun,
): Promise<BackupWithParts> {
  const id = ids.backup();
  const createdAtMs = clock.now();
  await catalog.write(async (tx) => {
    await store.create(
      {
        id,
        environmentId: survey.record.id,
        repositoryId: await repositories.ensureFor(survey.record, tx),
        jobId: run.job.id,
        kind: 'safety',
        // Commands cannot run once their containers are stopped.
        mode: parts.length === 0 ? 'live' : 'consistent',
        description: `Before the restore of ${restored.id}`,
        components: [...new Set([...parts, ...commands].flatMap(componentsOfPart))].sort(),
        createdBy: run.job.createdBy,
        createdAtMs,
        expiresAtMs: expiryOf(createdAtMs, retention),
      },
      tx,
    );
    await store.markRunning(id, tx);
  });
  const backup = await store.get(id);
  if (backup === undefined) throw new HoldfastError('internal', `The catalog lost the backup ${id}.`);
  return backup;
}

async function startMover(
  { repositories, taskRuns, serverPlace }: SafetyBackupsOptions,
  run: JobRun,
  { request: { survey }, contents, backup }: Begun & { readonly backup: BackupWithParts },
): Promise<Mover> {
  const { docker, host, record: environment } = survey;
  const placing = { images: imagesOf(survey), host, serverPlace, readOnly: true, signal: run.signal };
  const placed = await placeParts(docker, [...contents.parts, ...placesOfCode(contents.code)], placing);
  const access = await repositories.access(backup.repositoryId);
  const planned = { ...contents, backup, mode: backup.mode, environment, access, placed };
  return await taskRuns.start(run, 'backup', (base) => backupTask(planned, base), placed.mounts);
}

async function complete(
  options: SafetyBackupsOptions,
  run: JobRun,
  { mover, backup }: { readonly mover: Mover; readonly backup: BackupWithParts },
): Promise<void> {
  run.step('Keeping what will be overwritten');
  try {
    if (backup.mode === 'consistent') {
      mover.send({ type: 'frozen' });
      await mover.waitFor('captured', run);
      mover.send({ type: 'thawed' });
      await mover.waitFor('sealed', run);
    }
    mover.send({ type: 'commit' });
    await mover.waitFor('committed');
    await mover.exited;
  } catch (error) {
    throwIfAborted(run.signal);
    throw notKept(error);
  }
  await options.repositories.markInitialized(backup.repositoryId);
  await takeOverOrForget(options, backup.id, mover.milestones);
  run.log('info', `What is overwritten is kept as ${backup.id} for 7 days: holdfast backup:restore --undo`);
}

/** May be called again. */
async function takeOverOrForget(
  { catalog, store }: SafetyBackupsOptions,
  id: BackupId,
  milestones: Milestones,
): Promise<void> {
  if (milestones.committed === undefined) await store.remove(id);
  else await catalog.write(async (tx) => await store.markReady(id, committedBackup(milestones), tx));
}

function notKept(cause: unknown): HoldfastError {
  const { code, message, hint, context } = toHoldfastError(cause);
  return new HoldfastError(code, `What would be overwritten could not be kept: ${message}`, {
    hint: `${hint === undefined ? '' : `${hint} `}To restore all the same, and lose it: --no-safety.`,
    context,
    cause,
  });
}
