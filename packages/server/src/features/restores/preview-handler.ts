import { HoldfastError } from '@holdfast/base';
import { readInventory } from '@holdfast/docker';
import type { CompareTask } from '@holdfast/protocol';
import type { BackupWithParts } from '../backups/backup-record.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { JobEnd, JobHandler, JobRun } from '../jobs/execution/job-handler.ts';
import type { TaskBase } from '../jobs/execution/task-runs.ts';
import { affectedContainers } from './affected-containers.ts';
import { planFeed } from './plan-feed.ts';
import { notePlaces, planTargets } from './plan-targets.ts';
import { type FoundTargets, findTargets } from './prepare-targets.ts';
import { previewCode } from './restore-code.ts';
import type { RestoreHandlerOptions } from './restore-handler.ts';
import { taskParts } from './start-movers.ts';

export type PreviewHandlerOptions = Pick<
  RestoreHandlerOptions,
  'environments' | 'repositories' | 'findBackup' | 'taskRuns' | 'serverPlace'
>;

/** Notes in its log what a restore would do, and does nothing of it. */
export function createPreviewHandler(options: PreviewHandlerOptions): JobHandler {
  return {
    run: async (run) => await preview(options, run),

    recover: async (run) => {
      await options.taskRuns.settle(run.job.id, run);
      throw new HoldfastError('server-lost', 'The server was gone before all was compared.', {
        hint: 'Run it again: nothing was changed.',
      });
    },

    recordFailure: async () => {},
  };
}

async function preview(options: PreviewHandlerOptions, run: JobRun): Promise<JobEnd> {
  const { request, environmentId, backupId } = run.job;
  if (request.kind !== 'preview') throw new HoldfastError('internal', 'The job is no preview.');
  const backup = backupId === null ? undefined : await options.findBackup(backupId);
  if (backup?.status !== 'ready') {
    throw new HoldfastError('backup-not-ready', `The backup ${backupId} is not ready (any more).`, {
      hint: 'Choose another: holdfast backup:list.',
      context: { backupId },
    });
  }
  run.step('Looking at the environment');
  const survey = await options.environments.survey(environmentId, run);
  const plan = await planTargets(backup, { survey, choice: request, signal: run.signal });
  const feed = planFeed(backup.parts, survey, request);
  const code = await previewCode(options, { run, backup, survey });
  const warnings = [...plan.warnings, ...feed.warnings, ...code.warnings];
  for (const warning of warnings) run.log('warn', warning);
  notePlaces(plan, run);
  const { serverPlace } = options;
  const { project } = code;
  const besides = project === undefined ? [] : [project.place];
  const targets = await findTargets(survey, plan.parts, { serverPlace, besides, signal: run.signal });
  const parts = taskParts(targets.found, { project, paths: targets.placed.paths });
  if (parts.length > 0) await compare(options, run, backup, { placed: targets.placed, parts });
  for (const { part, only } of targets.missing) {
    const contents = only === null ? `${part.files} files` : only.map((names) => names.join('/')).join(', ');
    run.log('info', `${part.name}: would be made, with ${contents}`);
  }
  if (plan.parts.length > 0 || code.changesContainers) await noteContainers(run, survey, targets);
  for (const { name, containerName } of feed.commands) {
    run.log('info', `${name}: would go to the restore command of ${containerName}`);
  }
  return { warnings, record: async () => {} };
}

async function compare(
  { repositories, taskRuns }: PreviewHandlerOptions,
  run: JobRun,
  backup: BackupWithParts,
  { placed, parts }: Pick<FoundTargets, 'placed'> & Pick<CompareTask, 'parts'>,
): Promise<void> {
  run.step('Comparing');
  const { repository } = await repositories.access(backup.repositoryId);
  const spec = (base: TaskBase): CompareTask => ({
    ...base,
    kind: 'compare',
    repository,
    backupId: backup.id,
    parts,
  });
  const mover = await taskRuns.start(run, 'compare', spec, placed.mounts);
  try {
    mover.send({ type: 'go' });
    await mover.waitForSuccess(run);
  } finally {
    await taskRuns.end(mover);
  }
}

async function noteContainers(
  run: JobRun,
  { docker, record }: EnvironmentSurvey,
  { placed: { sources } }: FoundTargets,
): Promise<void> {
  const inventory = await readInventory(docker, run);
  const affected = affectedContainers(inventory, {
    environmentName: record.name,
    needsStandstill: true,
    ...sources,
  });
  const running = affected.filter(({ state }) => state.running).map(({ name }) => name);
  const which = running.length === 0 ? 'none' : running.join(', ');
  run.log('info', `Containers that would be stopped, and started again: ${which}`);
}
