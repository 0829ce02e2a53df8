import { type Clock, HoldfastError, isHoldfastError, sleep, throwIfAborted } from '@holdfast/base';
import { guardLingerMs, type MountedSources, removeLeftProbes, thawContainers } from '@holdfast/docker';
import type { BackupId, BackupTask, FreezeFacts } from '@holdfast/protocol';
import type { Milestones } from '../../../runner/milestones.ts';
import type { Mover } from '../../../runner/mover.ts';
import { provePaths } from '../../../runner/prove-paths.ts';
import type { EnvironmentService } from '../../environments/service.ts';
import type { EnvironmentSurvey } from '../../environments/survey.ts';
import type { JobEnd, JobHandler, JobRun } from '../../jobs/execution/job-handler.ts';
import type { TaskBase, TaskRuns } from '../../jobs/execution/task-runs.ts';
import type { FreezeStore } from '../../jobs/freeze-store.ts';
import type { JobRecord } from '../../jobs/job-record.ts';
import type { RepositoryService } from '../../repositories/service.ts';
import type { BackupWithParts } from '../backup-record.ts';
import { requireBackupPossible } from '../check-request.ts';
import type { BackupStore } from '../store.ts';
import { type CapturePart, planCapture } from './plan-capture.ts';
import { whileFrozen } from './while-frozen.ts';

/** A guard looks now and then, and then has to end. */
const guardEndMs = 1000;

export interface BackupHandlerOptions {
  readonly environments: Pick<EnvironmentService, 'survey'>;
  readonly repositories: Pick<RepositoryService, 'access' | 'markInitialized'>;
  readonly backups: BackupStore;
  readonly freezes: FreezeStore;
  readonly taskRuns: TaskRuns;
  /** The longest that an environment stays paused. */
  readonly holdLimitMs: number;
  readonly clock: Clock;
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
      const { spec, survey, sources } = await prepare(options, run, backup);
      run.step('Starting the mover');
      const mover = await taskRuns.start(run, 'backup', spec);
      try {
        const freeze = await capture(options, { run, survey, sources, mover, backup });
        await options.repositories.markInitialized(backup.repositoryId);
        throwIfAborted(run.signal);
        run.step('Writing the manifest');
        mover.send({ type: 'commit', capture: freeze });
        await mover.waitFor('committed');
        await mover.exited;
        return endOf(options, backup.id, mover.milestones);
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
        // The guard of the last server would thaw what the next backup freezes.
        await sleep(guardLingerMs + guardEndMs, run);
        await freezes.markThawed(run.job.id);
      }
      const settled = await taskRuns.settle(run.job.id, run);
      // It may have been cut off while it proved paths.
      if (settled.length === 0) {
        const { docker } = await environments.survey(run.job.environmentId, run);
        await removeLeftProbes(docker, run);
      }
      for (const { milestones } of settled) {
        if (milestones.committed === undefined) continue;
        await options.repositories.markInitialized(backup.repositoryId);
        return endOf(options, backup.id, milestones);
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

interface PreparedBackup {
  readonly spec: (base: TaskBase) => BackupTask;
  readonly survey: EnvironmentSurvey;
  readonly sources: MountedSources;
}

/** Looks at the environment anew: since the backup was asked for, it may have changed. */
async function prepare(
  { environments, repositories, backups }: BackupHandlerOptions,
  run: JobRun,
  backup: BackupWithParts,
): Promise<PreparedBackup> {
  const { request } = run.job;
  if (request.kind !== 'backup') throw new HoldfastError('internal', 'The job is no backup.');
  run.step('Looking at the environment');
  const survey = await environments.survey(run.job.environmentId, run);
  const { record, environment, docker, host } = survey;
  requireBackupPossible(record, request.components ?? undefined);
  const parts = planCapture(survey.mounts, {
    components: request.components,
    lastParts: await backups.lastReadyParts(record.id),
    allowEmpty: request.allowEmpty,
  });
  run.step('Proving the paths of its mounts');
  const instances = environment?.components.flatMap((component) => component.instances) ?? [];
  const images = [...new Set(instances.map(({ imageId }) => imageId))];
  const paths = await provePaths(docker, parts, { images, host, signal: run.signal });
  const access = await repositories.access(backup.repositoryId);
  const { recoveryPassword } = access;
  return {
    survey,
    sources: {
      volumes: new Set(parts.flatMap(({ place }) => (place.kind === 'volume' ? [place.name] : []))),
      paths: [...paths.values()],
    },
    spec: (base) => ({
      ...base,
      kind: 'backup',
      repository: { location: access.location, password: access.password },
      manifest: manifestOf(backup, record),
      initialize: access.isInitialized ? null : { recoveryPassword },
      parts: parts.map((part) => toTaskPart(part, paths)),
    }),
  };
}

function toTaskPart(part: CapturePart, paths: ReadonlyMap<string, string>): BackupTask['parts'][number] {
  const { partName: _partName, place: _place, ...spec } = part;
  const path = paths.get(part.name);
  if (path === undefined) throw new HoldfastError('internal', `The path of ${part.name} was not proven.`);
  return { ...spec, path };
}

function manifestOf(
  backup: BackupWithParts,
  environment: EnvironmentSurvey['record'],
): BackupTask['manifest'] {
  const { id, kind, mode, description, createdAtMs, expiresAtMs, createdBy } = backup;
  const { name, type, nodeName, folder } = environment;
  return {
    version: 1,
    revision: 1,
    backupId: id,
    kind,
    mode,
    description,
    environment: { id: environment.id, name, type, node: nodeName, folder },
    createdAtMs,
    expiresAtMs,
    createdBy,
    policy: null,
  };
}

interface Capture {
  readonly run: JobRun;
  readonly survey: EnvironmentSurvey;
  /** Of the parts. */
  readonly sources: MountedSources;
  readonly mover: Mover;
  readonly backup: BackupWithParts;
}

/** From `go` to `sealed`. Answers how the freeze went, if there was one. */
async function capture(options: BackupHandlerOptions, work: Capture): Promise<FreezeFacts | undefined> {
  const { run, mover, backup } = work;
  run.step('Reading');
  mover.send({ type: 'go' });
  const facts = backup.mode === 'live' ? undefined : await captureStanding(options, work);
  run.step('Saving');
  await mover.waitFor('sealed', run);
  return facts;
}

/** The final pass of a consistent backup. Undefined where it became a live one. */
async function captureStanding(
  { freezes, holdLimitMs, clock }: BackupHandlerOptions,
  { run, survey: { docker, record }, sources, mover }: Capture,
): Promise<FreezeFacts | undefined> {
  const rehearsed = await mover.waitFor('precopied', run);
  try {
    const seconds = (rehearsed.elapsedMs / 1000).toFixed(2);
    run.log('info', `Read while the app ran; what changed meanwhile takes ${seconds} s to set aside`);
    if (rehearsed.elapsedMs > holdLimitMs) throw tooLong(rehearsed.elapsedMs, holdLimitMs);
    run.step('Pausing the containers');
    const facts = await whileFrozen(
      { run, docker, environment: { name: record.name, sources }, freezes, holdLimitMs, clock },
      async (signal) => {
        run.step('Setting aside what changed');
        mover.send({ type: 'frozen' });
        await mover.waitFor('captured', { signal });
      },
    );
    mover.send({ type: 'thawed' });
    return facts;
  } catch (error) {
    const { request } = run.job;
    const mayBeLive = request.kind === 'backup' && request.fallback === 'live';
    if (!mayBeLive || !isHoldfastError(error, ...couldNotHoldStill)) throw error;
    run.log(
      'warn',
      `${error.message} The backup is a live one: its components may not agree with each other.`,
    );
    mover.send({ type: 'live' });
    return undefined;
  }
}

const couldNotHoldStill = [
  'freeze-failed',
  'freeze-broken',
  'freeze-limit-reached',
  'guard-failed',
  'gate-unreachable',
  'gate-busy',
] as const;

function tooLong(elapsedMs: number, holdLimitMs: number): HoldfastError {
  return new HoldfastError(
    'freeze-limit-reached',
    `Too much changes: the environment would be paused for about ${Math.ceil(elapsedMs / 1000)} s, and ${holdLimitMs / 1000} s is the limit.`,
    {
      hint: 'Raise the limit (hold-limit), take it when the app writes less, or take a live backup (--live, or --fallback live).',
      context: { elapsedMs: Math.round(elapsedMs), holdLimitMs },
    },
  );
}

/** What is committed counts, also if the mover was killed before it could say that it is done. */
function endOf(
  { backups }: BackupHandlerOptions,
  backupId: BackupId,
  { committed, result }: Milestones,
): JobEnd {
  const { manifest, manifestSnapshotId } = committed ?? {};
  if (manifest == null || manifestSnapshotId == null) {
    throw new HoldfastError('mover-failed', 'The mover committed a backup without naming its manifest.');
  }
  const { mode, capture: facts, parts, finishedAtMs } = manifest;
  return {
    warnings: result?.warnings ?? [],
    record: async (tx) => {
      const committedBackup = { mode, capture: facts, parts, manifestSnapshotId, finishedAtMs };
      await backups.markReady(backupId, committedBackup, tx);
    },
  };
}

async function requireBackup(backups: BackupStore, { id, backupId }: JobRecord): Promise<BackupWithParts> {
  const backup = backupId === null ? undefined : await backups.get(backupId);
  if (backup !== undefined) return backup;
  throw new HoldfastError('internal', `The catalog has no backup for the job ${id}.`);
}
