import { type Clock, HoldfastError, isHoldfastError, toHoldfastError } from '@holdfast/base';
import { readInventory, removeLeftProbes, settleReplaced } from '@holdfast/docker';
import { isOfMount } from '@holdfast/protocol';
import type { Milestones } from '../../runner/milestones.ts';
import type { PartPlace } from '../../runner/place-parts.ts';
import type { ServerPlace } from '../../runner/server-place.ts';
import type { BackupWithParts } from '../backups/backup-record.ts';
import type { SafetyBackup, SafetyBackupRequest, SafetyBackups } from '../backups/safety-backups.ts';
import type { EnvironmentService } from '../environments/service.ts';
import type { EnvironmentSurvey, SurveyedMount } from '../environments/survey.ts';
import type { JobEnd, JobHandler, JobRun } from '../jobs/execution/job-handler.ts';
import type { SettledTask, TaskRuns } from '../jobs/execution/task-runs.ts';
import type { JournalStore } from '../jobs/journal-store.ts';
import type { RepositoryService } from '../repositories/service.ts';
import { affectedContainers } from './affected-containers.ts';
import { afterFailure } from './after-failure.ts';
import { changeTargets } from './change-targets.ts';
import { feedCommands, fetchForCommands } from './feed-commands.ts';
import type { TargetRequest } from './fetch-code.ts';
import { type MadeTarget, makeTarget } from './make-target.ts';
import { noteFolder, noteImages } from './note-code.ts';
import { planFeed } from './plan-feed.ts';
import { planProject } from './plan-project.ts';
import type { RestorePlan } from './plan-restore.ts';
import { notePlaces, planTargets } from './plan-targets.ts';
import { type PreparedTargets, prepareTargets, removeVolumes } from './prepare-targets.ts';
import { type CodeRestore, planCodeRestore } from './restore-code.ts';
import { isUnsettled, settleTargets, targetStateOf } from './settle-targets.ts';
import { isUnfinished, journalOf, type StandstillOptions, startAgain } from './standstill.ts';
import { startFeeder, startRestoreMover } from './start-movers.ts';

/** The backups that a restore can be of. */
export type FindBackup = (id: BackupWithParts['id']) => Promise<BackupWithParts | undefined>;

export interface RestoreHandlerOptions {
  readonly environments: Pick<EnvironmentService, 'survey'>;
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly findBackup: FindBackup;
  readonly safetyBackups: SafetyBackups;
  readonly journals: JournalStore;
  readonly taskRuns: TaskRuns;
  readonly serverPlace: ServerPlace;
  readonly clock: Clock;
}

/**
 * Restores, by the steps of docs/design.md:
 *
 *     plan → containers made where there are none → targets made and proven → mover: all that differs is staged beside them → safety backup: all read → journal
 *       → policies `no`, stopped → safety backup: what changed since, ready → commit: the targets change, by renames
 *       → started, policies back, journal deleted → what was replaced is removed → restore commands
 *
 * What restore commands are to take in is fetched and authenticated before anything changes, by a mover of its own. What
 * fails before the targets change, or can be undone, puts everything back. What is cut off after it is brought forward by
 * what lies with the targets. Only where that fails too, the environment stays stopped, with its journal, until a restore
 * completes; cancelling and stopping the server do not cut it short.
 */
export function createRestoreHandler(options: RestoreHandlerOptions): JobHandler {
  const { environments, journals, clock } = options;
  return {
    run: async (run) => await restore(options, run),

    recover: async (run) => {
      const settled = await settle(options, run);
      await options.safetyBackups.recover(run, settled);
      // It may have been cut off while it proved paths, which each mover of files needs.
      const { docker, host } = await environments.survey(run.job.environmentId, run);
      if (host.isShared) await removeLeftProbes(docker, run);
      const feed = settled.find(({ task }) => task.kind === 'feed');
      const files = settled.findLast(({ task }) => task.kind === 'restore');
      const milestones = files?.milestones ?? {};
      const { result } = milestones;
      const journal = await journals.get(run.job.environmentId);
      const isOurs = journal?.jobId === run.job.id;
      const targets = targetStateOf(milestones);
      // Containers that were made for it; without them, what was begun is no more than some volumes.
      await settleReplaced(docker, { mark: run.job.id, direction: targets === 'old' ? 'back' : 'forward' });
      const settledWarnings = await settleAgain(options, run, milestones);
      const warnings = [...(result?.warnings ?? []), ...(settledWarnings ?? [])];
      if (!isOurs && targets === 'new') return endAfterFeed(feed, warnings);
      if (!isOurs && files === undefined && feed !== undefined) return endAfterFeed(feed, []);
      const failure = result?.error == null ? serverLost() : HoldfastError.fromReport(result.error);
      if (!isOurs) throw failure;
      const standstill = { docker, journals, run, clock };
      if (targets === 'old' || (targets === 'undecided' && settledWarnings === undefined))
        throw await afterFailure(standstill, milestones, failure);
      return endAfterFeed(feed, [...warnings, ...(await startAgain(standstill, journal, 'forward'))]);
    },

    // The journal says all that a failed restore leaves.
    recordFailure: async () => {},
  };
}

function isSuccess({ result }: Milestones): boolean {
  return result?.outcome === 'done' || result?.outcome === 'warnings';
}

/** The files are restored, if there were any: whether the commands are done too is what counts now. */
function endAfterFeed(feed: SettledTask | undefined, warnings: readonly string[]): JobEnd {
  if (feed === undefined) return endOf(warnings);
  const { result } = feed.milestones;
  if (isSuccess(feed.milestones)) return endOf([...warnings, ...(result?.warnings ?? [])]);
  throw result?.error == null ? serverLost() : HoldfastError.fromReport(result.error);
}

/** A mover that cannot be ended may still change the targets: nothing may start before a restore completes. */
async function settle(
  { journals, taskRuns }: RestoreHandlerOptions,
  run: JobRun,
): Promise<readonly SettledTask[]> {
  try {
    return await taskRuns.settle(run.job.id, run);
  } catch (error) {
    const journal = await journals.get(run.job.environmentId);
    if (journal?.jobId === run.job.id && isHoldfastError(error, 'mover-lost')) {
      await journals.setReason(journal.environmentId, error.message);
    }
    throw error;
  }
}

async function restore(options: RestoreHandlerOptions, run: JobRun): Promise<JobEnd> {
  const { environments } = options;
  const { request, environmentId } = run.job;
  if (request.kind !== 'restore') throw notARestore();
  const backup = await requireReady(options, run);
  run.step('Looking at the environment');
  const before = await environments.survey(environmentId, run);
  const made = await makeTarget(options, { run, backup, survey: before });
  try {
    const survey = made === undefined ? before : await environments.survey(environmentId, run);
    const code = made === undefined ? await planCodeRestore(options, { run, backup, survey }) : undefined;
    return await restoreInto(options, { run, backup, survey, made, code });
  } catch (error) {
    await made?.undo();
    throw error;
  }
}

interface Target extends TargetRequest {
  /** What was made for this restore; undefined where the target was there. */
  readonly made: MadeTarget | undefined;
  /** What becomes of its containers and its folder; undefined where they stay as they are. */
  readonly code: CodeRestore | undefined;
}

async function restoreInto(
  options: RestoreHandlerOptions,
  { run, backup, survey, made, code }: Target,
): Promise<JobEnd> {
  const { request } = run.job;
  if (request.kind !== 'restore') throw notARestore();
  const plan = await planTargets(backup, { survey, choice: request, signal: run.signal });
  const { instance } = request;
  const replaced = code?.replaced ?? new Set();
  const mayBeStopped = made !== undefined || replaced.size > 0;
  const feed = planFeed(backup.parts, survey, { ...request, mayBeStopped, replaced });
  const warnings = [...((made ?? code)?.warnings ?? []), ...plan.warnings, ...feed.warnings];
  for (const warning of [...plan.warnings, ...feed.warnings]) run.log('warn', warning);
  notePlaces(plan, run);
  const changesCode = code?.project !== undefined || code?.replace !== undefined;
  if (plan.parts.length === 0 && feed.commands.length === 0 && made === undefined && !changesCode)
    throw nothingToRestore(backup, warnings);
  // In what was just made no backup command can run: what it would print is kept as the files that it stands in.
  const commandsOf = made === undefined ? feed.components : [];
  const covered = made === undefined ? [] : coveredBy(feed.components, survey, made);
  const keeping: Keeping = {
    ...{ survey, restored: backup, commandsOf, instance },
    code: code?.project === undefined ? (code?.replace === undefined ? 'none' : 'containers') : 'all',
  };
  const feeder = feed.commands.length === 0 ? undefined : await startFeeder(options, { run, backup, feed });
  try {
    if (feeder !== undefined) await fetchForCommands(run, feeder);
    if (plan.parts.length > 0 || changesCode)
      warnings.push(...(await restoreFiles(options, { run, plan, made, code, covered, keeping })));
    // Where files are restored too, it is kept then.
    else if (feeder !== undefined) await keep(options, run, { ...keeping, overwritten: covered });
    if (plan.parts.length === 0 && made !== undefined)
      warnings.push(...(await startMade(options, { run, backup, survey, made })));
    if (code !== undefined) await noteImages({ run, survey, code });
    if (feeder !== undefined) {
      warnings.push(...(await feedCommands({ run, docker: survey.docker, mover: feeder }, feed.commands)));
    }
  } finally {
    if (feeder !== undefined) await options.taskRuns.end(feeder);
  }
  return endOf(warnings);
}

/** The mounts that restore commands of these components will write to, and that hold something. */
function coveredBy(
  components: readonly string[],
  { mounts }: EnvironmentSurvey,
  made: MadeTarget,
): readonly SurveyedMount[] {
  return mounts.filter(
    (surveyed) =>
      surveyed.isByCommand === true &&
      !made.isFresh(surveyed) &&
      surveyed.mount.mountPoints.some(({ component }) => components.includes(component)),
  );
}

/** Of a backup without files: its containers are all there is to bring back. */
async function startMade(
  { journals, clock }: RestoreHandlerOptions,
  { run, backup, survey: { docker, record }, made }: TargetRequest & { readonly made: MadeTarget },
): Promise<readonly string[]> {
  const standstill = { docker, journals, run, clock };
  const containers = affectedContainers(await readInventory(docker, run), {
    environmentName: record.name,
    needsStandstill: true,
    ...nowhere,
  });
  const facts = {
    environmentId: record.id,
    backupId: backup.id,
    jobId: run.job.id,
    startedAtMs: clock.now(),
  };
  const journal = journalOf(facts, containers, { plans: made.plans });
  await journals.write(journal);
  await made.keep();
  run.step('Starting the containers');
  return await startAgain(standstill, journal, 'forward');
}

const nowhere = { volumes: new Set<string>(), paths: [] };

/** What is kept of all that is overwritten, but for files. */
type Keeping = Omit<SafetyBackupRequest, 'overwritten'>;

interface FileRestore {
  readonly run: JobRun;
  readonly plan: RestorePlan;
  readonly made: MadeTarget | undefined;
  readonly code: CodeRestore | undefined;
  readonly keeping: Keeping;
  /** What else is overwritten, later. */
  readonly covered: readonly SurveyedMount[];
}

/** The parts that are files. Answers what was not done exactly as asked. */
async function restoreFiles(
  options: RestoreHandlerOptions,
  { run, plan, made, code, covered, keeping }: FileRestore,
): Promise<readonly string[]> {
  const { journals, clock } = options;
  const { survey, restored: backup } = keeping;
  const { environmentId } = run.job;
  run.step('Proving the paths of its mounts');
  const planned = code?.project;
  const prepared = await prepareTargets(survey, plan.parts, {
    serverPlace: options.serverPlace,
    besides: planned === undefined ? [] : [planned.place],
    signal: run.signal,
  });
  const project = planned !== undefined && prepared.paths.has(planned.part.name) ? planned : undefined;
  if (project !== planned)
    run.log('warn', `The project's folder ${planned?.folder} stays as it is: nothing leads to it from here`);
  const standstill = { docker: survey.docker, journals, run, clock };
  // What containers mount of the project's folder is no part of it.
  const needsStandstill = plan.parts.length > 0 || made !== undefined || code?.replace !== undefined;
  const overwritten = [
    ...prepared.overwritten.filter((each) => made?.isFresh(each) !== true && !covered.includes(each)),
    ...covered,
  ];
  const warnings: string[] = [];
  let milestones: Milestones = {};
  const start = async (): Promise<readonly string[]> => {
    run.step('Starting the containers');
    const journal = await journals.get(environmentId);
    return journal === undefined ? [] : await startAgain(standstill, journal, 'forward');
  };
  try {
    const mover = await startRestoreMover(options, { run, backup, parts: plan.parts, project, prepared });
    try {
      await changeTargets(standstill, {
        mover,
        backupId: backup.id,
        targets: { environmentName: survey.record.name, needsStandstill, ...prepared.sources },
        plans: made?.plans,
        replace: code?.replace,
        beginSafety: async (beside) => await beginSafety(options, beside, { ...keeping, overwritten }),
      });
      await (made ?? code)?.keep();
      warnings.push(...(await start()));
      if (project !== undefined && code?.replace !== undefined) noteFolder(project, run);
      run.step('Removing what was replaced');
      // How it ends is asked below.
      await mover.waitFor('result').catch(() => {});
    } finally {
      await options.taskRuns.end(mover);
      milestones = mover.milestones;
    }
  } catch (error) {
    const failure = toHoldfastError(error);
    const settled = await trySettling(options, run, milestones, prepared);
    const targets = targetStateOf(milestones);
    if (targets === 'old') await removeVolumes(survey.docker, prepared.createdVolumes);
    else await (made ?? code)?.keep();
    if (targets === 'undecided' && settled !== undefined) return [...settled, ...(await start())];
    if (targets === 'old' && made !== undefined) throw await leaveNothing(standstill, made, failure);
    throw await leave(standstill, { milestones, code }, failure);
  }
  // The targets are wholly new, and what uses them has started: what fails now leaves no more than a folder behind.
  const settled = await trySettling(options, run, milestones, prepared);
  const { result } = milestones;
  if (settled === undefined || result?.error != null) {
    warnings.push('What was replaced may still be there, in a folder .holdfast-restore-… in the target.');
  }
  return [...warnings, ...(result?.warnings ?? [])];
}

/** Answers warnings; undefined where nothing could be settled. */
async function trySettling(
  { taskRuns }: RestoreHandlerOptions,
  run: JobRun,
  milestones: Milestones,
  targets: PreparedTargets,
): Promise<readonly string[] | undefined> {
  if (!isUnsettled(milestones)) return [];
  try {
    await settleTargets(milestones, { taskRuns, run, targets });
    return targetStateOf(milestones) === 'undecided'
      ? ['The restore was cut off; what it had begun was completed.']
      : [];
  } catch (error) {
    run.log('error', `What the restore left could not be settled: ${toHoldfastError(error).message}`);
    return undefined;
  }
}

/** The same for a server that came back: it looks for the targets again. */
async function settleAgain(
  options: RestoreHandlerOptions,
  run: JobRun,
  milestones: Milestones,
): Promise<readonly string[] | undefined> {
  if (!isUnsettled(milestones)) return [];
  try {
    const { request: choice, environmentId } = run.job;
    if (choice.kind !== 'restore') throw notARestore();
    const backup = await requireReady(options, run);
    const survey = await options.environments.survey(environmentId, run);
    const { parts } = await planTargets(backup, { survey, choice, signal: run.signal });
    const { serverPlace } = options;
    const besides = await projectPlaces(backup, survey, run);
    const prepared = await prepareTargets(survey, parts, { serverPlace, besides, signal: run.signal });
    return await trySettling(options, run, milestones, prepared);
  } catch (error) {
    run.log('error', `What the restore left could not be found: ${toHoldfastError(error).message}`);
    return undefined;
  }
}

/** Where the project's folder is, if the restore may have come to it. */
async function projectPlaces(
  { parts }: BackupWithParts,
  survey: EnvironmentSurvey,
  run: JobRun,
): Promise<readonly PartPlace[]> {
  const part = parts.find(({ source }) => source.kind === 'code');
  const project = part === undefined ? undefined : await planProject(part, survey, run);
  return typeof project === 'object' ? [project.place] : [];
}

/** A state that an unfinished restore left is nobody's: what that one kept is what there was before. */
async function beginSafety(
  { journals, safetyBackups }: RestoreHandlerOptions,
  run: JobRun,
  request: SafetyBackupRequest,
): Promise<SafetyBackup | undefined> {
  const { request: asked, environmentId } = run.job;
  if (asked.kind === 'restore' && !asked.safety) {
    run.log('warn', 'What is overwritten is not kept, as was asked for');
    return undefined;
  }
  if (!isUnfinished(await journals.get(environmentId))) return await safetyBackups.begin(run, request);
  run.log('info', 'What is overwritten is not kept: it is what a restore left that was cut off');
  return undefined;
}

async function keep(
  options: RestoreHandlerOptions,
  run: JobRun,
  request: SafetyBackupRequest,
): Promise<void> {
  await using safety = await beginSafety(options, run, request);
  await safety?.complete();
}

/** What was made for a restore goes with it: there is nothing to start. */
async function leaveNothing(
  { journals, run: { job } }: StandstillOptions,
  made: MadeTarget,
  failure: HoldfastError,
): Promise<HoldfastError> {
  await made.undo();
  const journal = await journals.get(job.environmentId);
  if (journal?.jobId === job.id && !isUnfinished(journal)) await journals.remove(job.environmentId);
  return failure;
}

/** Where Docker is gone for long, what could not be put back is an unfinished restore: the next one completes it. */
async function leave(
  standstill: StandstillOptions,
  { milestones, code }: Pick<FileRestore, 'code'> & { readonly milestones: Milestones },
  failure: HoldfastError,
): Promise<HoldfastError> {
  try {
    if (targetStateOf(milestones) === 'old') await code?.undo();
    return await afterFailure(standstill, milestones, failure);
  } catch (error) {
    const { message } = toHoldfastError(error);
    await standstill.journals.setReason(standstill.run.job.environmentId, message);
    throw error;
  }
}

async function requireReady(
  { findBackup }: RestoreHandlerOptions,
  { job }: JobRun,
): Promise<BackupWithParts> {
  const backup = job.backupId === null ? undefined : await findBackup(job.backupId);
  if (backup?.status === 'ready') return backup;
  throw new HoldfastError('backup-not-ready', `The backup ${job.backupId} is not ready (any more).`, {
    hint: 'Choose another: holdfast backup:list.',
    context: { backupId: job.backupId },
  });
}

function endOf(warnings: readonly string[]): JobEnd {
  return { warnings, record: async () => {} };
}

function nothingToRestore({ id, parts }: BackupWithParts, warnings: readonly string[]): HoldfastError {
  const isData = parts.some(({ source }) => isOfMount(source) || source.kind === 'command');
  const reason = isData
    ? 'The backup has no part of these components.'
    : 'It has only code and images: backup:download has them.';
  const isAdopted =
    isData && parts.every(({ source, mountPoints }) => isOfMount(source) && mountPoints.length === 0);
  const elsewhere = `Name an environment that has it (--target ENVIRONMENT), or take it along: holdfast backup:download ${id}.`;
  return new HoldfastError('environment-empty', `Nothing of the backup ${id} has a place to go to.`, {
    hint: isAdopted ? `${warnings[0] ?? reason} ${elsewhere}` : (warnings[0] ?? reason),
    context: { backupId: id, reasons: warnings },
  });
}

function notARestore(): HoldfastError {
  return new HoldfastError('internal', 'The job is no restore.');
}

function serverLost(): HoldfastError {
  return new HoldfastError('server-lost', 'The server was gone before the restore was complete.', {
    hint: 'Run it again.',
  });
}
