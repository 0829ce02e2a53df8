import { HoldfastError, sleep, throwIfAborted, toHoldfastError } from '@holdfast/base';
import {
  type DockerEngine,
  guardContainersGone,
  guardLingerMs,
  type MountedSources,
  removeLeftProbes,
  thawContainers,
} from '@holdfast/docker';
import type { BackupMode, BackupTask } from '@holdfast/protocol';
import type { Milestones } from '../../../runner/milestones.ts';
import { placeParts } from '../../../runner/place-parts.ts';
import type { MoverMounts } from '../../../runner/start-mover.ts';
import type { EnvironmentService } from '../../environments/service.ts';
import { type EnvironmentSurvey, imagesOf } from '../../environments/survey.ts';
import type { JobEnd, JobHandler, JobRun } from '../../jobs/execution/job-handler.ts';
import type { TaskBase, TaskRuns } from '../../jobs/execution/task-runs.ts';
import type { JobRecord } from '../../jobs/job-record.ts';
import type { RepositoryService } from '../../repositories/service.ts';
import type { BackupWithParts } from '../backup-record.ts';
import { requireBackupPossible } from '../check-request.ts';
import type { BackupStore } from '../store.ts';
import { backupTask, committedBackup } from './backup-task.ts';
import { type CaptureOptions, capture, hookOptions } from './capture-environment.ts';
import type { CompareCompose } from './compare-compose.ts';
import { holdingContainers, watchContainers } from './container-watch.ts';
import { comparedWith, doubtOf } from './doubt-of.ts';
import { HoldCommands } from './hold-commands.ts';
import { runPostHooks } from './hooks.ts';
import { planCapture } from './plan-capture.ts';
import { type CodeLimits, noCode, placesOfCode, planCode } from './plan-code.ts';
import { planCommands } from './plan-commands.ts';

/** A guard looks now and then, and then has to end. */
const guardEndMs = 1000;
/** The one to compare with is among the newest so many. */
const comparedLimit = 200;

export interface BackupHandlerOptions extends CaptureOptions {
  readonly environments: Pick<EnvironmentService, 'survey'>;
  readonly repositories: Pick<RepositoryService, 'access' | 'markInitialized'>;
  readonly backups: BackupStore;
  readonly taskRuns: TaskRuns;
  readonly codeLimits: CodeLimits;
  readonly compareCompose: CompareCompose;
}

/**
 * Takes backups, by the steps of docs/design.md: look → prove paths → mover started → read while the app runs → frozen
 * for the final pass → thawed → saved → commit → ready. Whatever fails on the way thaws first.
 */
export function createBackupHandler(options: BackupHandlerOptions): JobHandler {
  const { environments, backups, freezes, taskRuns } = options;
  return {
    run: async (run) => {
      const backup = await requireBackup(backups, run.job);
      await backups.markRunning(backup.id);
      const { spec, survey, sources, mode, mounts, warnings } = await prepare(options, run, backup);
      run.step('Starting the mover');
      const mover = await taskRuns.start(run, 'backup', spec, mounts);
      try {
        const freeze = await capture({ ...options, run, survey, sources, mover, mode, warnings });
        await options.repositories.markInitialized(backup.repositoryId);
        throwIfAborted(run.signal);
        run.step('Writing the manifest');
        mover.send({ type: 'commit', capture: freeze });
        await mover.waitFor('committed');
        await mover.exited;
        const leftOut = leftOutOf(survey);
        const end = await endOf(backups, { job: run.job, backup, milestones: mover.milestones, leftOut });
        return { ...end, warnings: [...warnings, ...end.warnings] };
      } finally {
        await taskRuns.end(mover);
      }
    },

    recover: async (run) => {
      const backup = await requireBackup(backups, run.job);
      const freeze = await freezes.get(run.job.id);
      if (freeze !== undefined && freeze.thawedAtMs === null) {
        const { docker } = await environments.survey(run.job.environmentId, run);
        const targets = freeze.containers.map(({ id, startedAt }) => ({ containerId: id, startedAt }));
        const thawed = await thawContainers(docker.containers, targets, run);
        if (thawed.length > 0) run.log('warn', `Thawed ${thawed.length} containers that were still paused`);
        await releaseRequests(options, docker, run);
        // The guard of the last server would thaw what the next backup freezes.
        await sleep(guardLingerMs + guardEndMs, run);
        await guardContainersGone(docker, run.job.id, run);
        await freezes.markThawed(run.job.id);
      }
      const settled = await taskRuns.settle(run.job.id, run);
      if (settled.length > 0) await runHooksOfLost(options, run);
      // It may have been cut off while it proved paths.
      if (settled.length === 0) {
        const { docker, host } = await environments.survey(run.job.environmentId, run);
        if (host.isShared) await removeLeftProbes(docker, run);
      }
      for (const { milestones } of settled) {
        if (milestones.committed === undefined) continue;
        await options.repositories.markInitialized(backup.repositoryId);
        const leftOut = await leftOutNow(options, run);
        return await endOf(backups, { job: run.job, backup, milestones, leftOut });
      }
      throw new HoldfastError('server-lost', 'The server was gone before the backup was complete.', {
        hint: 'The app runs as before. Take the backup again.',
      });
    },

    recordFailure: async ({ backupId }, error, tx) => {
      if (backupId === null) return;
      if (error.code === 'interrupted') await backups.markCancelled(backupId, tx);
      else await backups.markFailed(backupId, error.toReport(), tx);
    },
  };
}

/** Gates let go on what they hold by themselves; what holds by a command of its own is told. */
async function releaseRequests(
  { holdLimitMs }: BackupHandlerOptions,
  docker: DockerEngine,
  run: JobRun,
): Promise<void> {
  const environment = { name: run.job.environmentName, sources: { volumes: new Set<string>(), paths: [] } };
  const watched = await watchContainers(docker, environment, run);
  const { log } = run;
  await new HoldCommands(holdingContainers(watched), {
    docker,
    limitMs: holdLimitMs,
    log,
    mayHold: true,
  }).release();
}

interface PreparedBackup {
  readonly spec: (base: TaskBase) => BackupTask;
  readonly survey: EnvironmentSurvey;
  readonly sources: MountedSources;
  readonly mode: BackupMode;
  readonly mounts: MoverMounts;
  /** Told already; to be added to. */
  readonly warnings: string[];
}

/** Looks at the environment anew: since the backup was asked for, it may have changed. */
async function prepare(
  { environments, repositories, backups, serverPlace, codeLimits, compareCompose }: BackupHandlerOptions,
  run: JobRun,
  backup: BackupWithParts,
): Promise<PreparedBackup> {
  const { request } = run.job;
  if (request.kind !== 'backup') throw new HoldfastError('internal', 'The job is no backup.');
  run.step('Looking at the environment');
  const survey = await environments.survey(run.job.environmentId, run);
  const { record, docker, host } = survey;
  const { components, instance, allowEmpty } = request;
  requireBackupPossible(survey, { components: components ?? undefined, code: request.code });
  const lastParts = await backups.lastReadyParts(record.id);
  const parts = planCapture(survey.mounts, { components, lastParts, allowEmpty });
  const commands = planCommands(survey, { components, instance });
  // Commands cannot run in what is paused: where there is nothing else, nothing is.
  const mode = parts.length === 0 ? 'live' : backup.mode;
  if (mode === 'consistent') tellOfCommands(run, commands);
  const taken = [...parts, ...commands].map(({ name }) => name);
  const code = request.code
    ? await planCode(survey, { run, components, lastParts, taken, limits: codeLimits, compareCompose })
    : noCode;
  run.step('Proving the paths of its mounts');
  const placing = { images: imagesOf(survey), host, serverPlace, readOnly: true, signal: run.signal };
  const placed = await placeParts(docker, [...parts, ...placesOfCode(code)], placing);
  const access = await repositories.access(backup.repositoryId);
  const planned = { backup, mode, environment: record, access, parts, placed, commands, code };
  return {
    survey,
    mode,
    sources: placed.sources,
    mounts: placed.mounts,
    warnings: [...code.warnings],
    spec: (base) => backupTask(planned, base),
  };
}

function tellOfCommands(run: JobRun, commands: BackupTask['commands']): void {
  if (commands.length === 0) return;
  const names = commands.map(({ source }) => source.component).join(', ');
  run.log(
    'info',
    `What the backup commands of ${names} print is of moments of their own, shortly before the pause`,
  );
}

/** It may have been cut off before its hooks had run. What came of the backup does not depend on them. */
async function runHooksOfLost({ environments }: BackupHandlerOptions, run: JobRun): Promise<void> {
  try {
    const survey = await environments.survey(run.job.environmentId, run);
    await runPostHooks(hookOptions({ run, survey, warnings: [] }));
  } catch (error) {
    throwIfAborted(run.signal);
    run.log('warn', `Hooks after the backup could not be run: ${toHoldfastError(error).message}`);
  }
}

interface EndedBackup {
  readonly job: JobRecord;
  readonly backup: BackupWithParts;
  readonly milestones: Milestones;
  /** Mounts that are in no backup on purpose. */
  readonly leftOut: ReadonlySet<string>;
}

/** What is committed counts, also if the mover was killed before it could say that it is done. */
async function endOf(
  backups: BackupStore,
  { job: { request }, backup: { id, components }, milestones, leftOut }: EndedBackup,
): Promise<JobEnd> {
  if (request.kind !== 'backup') throw new HoldfastError('internal', 'The job is no backup.');
  const committed = committedBackup(milestones);
  const compared = comparedWith(components, await backups.goodBefore(id, comparedLimit));
  const before = compared === undefined ? undefined : await backups.get(compared.id);
  const doubt = doubtOf({ ...request, leftOut, taken: { components, parts: committed.parts }, before });
  const told = doubt === null ? [] : [`${doubt} It counts for nothing until it is accepted: backup:accept.`];
  return {
    warnings: [...(milestones.result?.warnings ?? []), ...told],
    record: async (tx) => {
      if (await backups.markReady(id, committed, tx)) await backups.setDoubt(id, doubt, tx);
    },
  };
}

function leftOutOf({ mounts }: Pick<EnvironmentSurvey, 'mounts'>): ReadonlySet<string> {
  const left = mounts.filter(({ mount: { included, isGap } }) => !included && isGap !== true);
  return new Set(left.map(({ mount }) => mount.name));
}

/** Of an engine that does not answer: none, and what is doubted for that can be accepted. */
async function leftOutNow({ environments }: BackupHandlerOptions, run: JobRun): Promise<ReadonlySet<string>> {
  try {
    return leftOutOf(await environments.survey(run.job.environmentId, run));
  } catch {
    throwIfAborted(run.signal);
    return new Set();
  }
}

async function requireBackup(backups: BackupStore, { id, backupId }: JobRecord): Promise<BackupWithParts> {
  const backup = backupId === null ? undefined : await backups.get(backupId);
  if (backup !== undefined) return backup;
  throw new HoldfastError('internal', `The catalog has no backup for the job ${id}.`);
}
