import { HoldfastError } from '@holdfast/base';
import {
  boundPathsOf,
  type ContainerModel,
  cloneModel,
  type EnvironmentModel,
  type MadeEnvironment,
  makeEnvironment,
  type ResourcesChoice,
  readEnvironmentModel,
  readInventory,
  sharedWith,
  withResources,
} from '@holdfast/docker';
import type { ResourceChoice, SealedPart, UnpackTask } from '@holdfast/protocol';
import { placeParts } from '../../runner/place-parts.ts';
import type { ServerPlace } from '../../runner/server-place.ts';
import type { BackupWithParts } from '../backups/backup-record.ts';
import type { EnvironmentService } from '../environments/service.ts';
import { type EnvironmentSurvey, imagesOf, type SurveyedMount } from '../environments/survey.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';
import type { TaskBase, TaskRuns } from '../jobs/execution/task-runs.ts';
import type { StoppedContainer } from '../jobs/journal-store.ts';
import type { RepositoryService } from '../repositories/service.ts';
import {
  type EnvironmentFolder,
  existingEnvironmentFolder,
  leadsOut,
  makeEnvironmentFolder,
} from './environment-folder.ts';
import { fetchCode, pullImages, type TargetRequest } from './fetch-code.ts';
import { noteDifferences } from './note-differences.ts';
import { portsTakenOn } from './ports-taken.ts';
import { privilegesBeyond, requireAllowed } from './privileges-beyond.ts';
import { isWhole } from './restore-choice.ts';

export interface MakeTargetOptions {
  readonly environments: Pick<EnvironmentService, 'survey'>;
  readonly repositories: Pick<RepositoryService, 'access'>;
  readonly taskRuns: TaskRuns;
  readonly serverPlace: ServerPlace;
}

/** How a container that was made is to be once all is restored. */
export type ContainerPlan = Pick<StoppedContainer, 'restartPolicy' | 'wasRunning'>;

/** Containers, volumes and networks that a restore has made for what it is about to restore. None runs. */
export interface MadeTarget {
  /** By the container's name. */
  readonly plans: ReadonlyMap<string, ContainerPlan>;
  readonly warnings: readonly string[];
  /** Whether nothing was there before it was made. */
  isFresh(mount: SurveyedMount): boolean;
  /** From now on `undo` does nothing: what is in it counts. */
  keep(): Promise<void>;
  /** Removes all that was made. */
  undo(): Promise<void>;
}

/**
 * Makes the containers of a target that has none, as the backup says it, or as in the environment that it is branched from. Undefined
 * where there are some, where only chosen components are restored, and where nothing says of what they would be.
 *
 * @throws HoldfastError `code-refused` for what asks for more than a backup that was handed in may have, or shares storage
 * with others; `image-unknown`, `network-unknown`, `volume-unknown`; `environment-exists` for a folder that is there already
 */
export async function makeTarget(
  options: MakeTargetOptions,
  { run, backup, survey }: TargetRequest,
): Promise<MadeTarget | undefined> {
  const { request } = run.job;
  if (request.kind !== 'restore' || survey.record.state === 'active' || !isWhole(request)) return undefined;
  const described = await describe(options, { run, backup, survey });
  if (described === undefined) return undefined;
  const { docker, record } = survey;
  const inventory = await readInventory(docker, run);
  const { model, folder, remarks } = described.isClone
    ? await cloneInto(options, { run, backup, survey }, described, await portsTakenOn(docker, run))
    : { ...described, ...(await folderAgain(options, { run, backup, survey }, described)) };
  try {
    const shared = described.isClone ? sharedWith(model, inventory) : [];
    if (shared.length > 0) throw sharesStorage(shared);
    if (described.isClone || backup.kind === 'imported') await requireOwnPaths(survey, model, run);
    if (backup.kind !== 'imported') await pullImages(survey, model, run);
    run.step('Making its containers');
    const made = await makeEnvironment(docker, model, {
      mark: run.job.id,
      createExternal: request.createExternal,
      isHeldBack: true,
      signal: run.signal,
    });
    run.log('info', `Made ${[...made.containerIds.keys()].join(', ')} of ${record.name}`);
    return madeTarget(model, made, folder, remarks);
  } catch (error) {
    await folder?.undo();
    throw error;
  }
}

function madeTarget(
  model: EnvironmentModel,
  made: MadeEnvironment,
  folder: EnvironmentFolder | undefined,
  warnings: readonly string[],
): MadeTarget {
  let isKept = false;
  return {
    plans: new Map(model.containers.map((container) => [container.name, planOf(container)])),
    warnings,
    isFresh: ({ mount: { source } }) =>
      source?.kind === 'bind'
        ? folder?.isNew(source.path) === true
        : source !== null && made.madeVolumes.includes(source.name),
    keep: async () => {
      if (isKept) return;
      isKept = true;
      await made.finish();
    },
    undo: async () => {
      if (isKept) return;
      isKept = true;
      await made.undo();
      await folder?.undo();
    },
  };
}

/** As the model has it. */
export function planOf({ hostConfig, isRunning }: ContainerModel): ContainerPlan {
  const { Name: name, MaximumRetryCount: count } = (hostConfig.RestartPolicy ?? {}) as Record<
    string,
    unknown
  >;
  return {
    restartPolicy: {
      name: typeof name === 'string' && name !== '' ? name : 'no',
      maximumRetryCount: typeof count === 'number' ? count : 0,
    },
    wasRunning: isRunning,
  };
}

interface Described {
  readonly model: EnvironmentModel;
  /** Whether it is that of another environment. */
  readonly isClone: boolean;
  /** The part with the project's folder, where the backup has it. */
  readonly project: SealedPart | undefined;
  /** Of the parts that were bound, the names of those that are a single file. */
  readonly singleFiles: readonly string[];
}

async function describe(
  options: MakeTargetOptions,
  { run, backup, survey }: TargetRequest,
): Promise<Described | undefined> {
  const { request } = run.job;
  if (request.kind !== 'restore') return undefined;
  const isClone = backup.environmentId !== survey.record.id;
  const code = backup.parts.find(({ source }) => source.kind === 'code');
  const parent =
    request.parentId === null ? undefined : await options.environments.survey(request.parentId, run);
  if (request.code && code !== undefined) {
    const { model, hasProject, singleFiles } = await fetchCode(options, { run, backup, survey, code });
    const now = parent && (await currentModel(parent, run));
    requireAllowed(privilegesBeyond(model, { isImported: backup.kind === 'imported', now }), request);
    if (!isClone && hasProject) noteDifferences(model, run);
    const limits = resourcesChoice(request.resources, now);
    return {
      model: withResources(model, limits),
      isClone,
      project: hasProject ? code : undefined,
      singleFiles,
    };
  }
  if (parent === undefined) return undefined;
  const model = await currentModel(parent, run);
  if (model === undefined) throw nothingToMakeOf(backup, parent);
  return {
    model: withResources(model, resourcesChoice(request.resources, model)),
    isClone: true,
    project: undefined,
    singleFiles: [],
  };
}

/** Where the parent has no containers, nobody knows its limits. */
function resourcesChoice(from: ResourceChoice, parent: EnvironmentModel | undefined): ResourcesChoice {
  if (from !== 'parent') return { from };
  return parent === undefined ? { from: 'backup' } : { from, parent };
}

async function currentModel(
  { docker, environment }: EnvironmentSurvey,
  run: JobRun,
): Promise<EnvironmentModel | undefined> {
  return environment?.state === 'active' ? await readEnvironmentModel(docker, environment, run) : undefined;
}

async function cloneInto(
  options: MakeTargetOptions,
  { run, backup, survey }: TargetRequest,
  { model, project, singleFiles }: Described,
  portsTaken: readonly number[],
) {
  const { record } = survey;
  const folder = record.folder ?? `/srv/${record.name}`;
  const cloned = cloneModel(model, { name: record.project, folder, portsTaken });
  for (const { container, port, from, to } of cloned.ports) {
    run.log('info', `${container}: port ${port} is published as ${to}, since ${from} is taken`);
  }
  for (const remark of cloned.remarks) run.log('warn', remark);
  const needsFolder = project !== undefined || cloned.binds.some(({ to }) => to.startsWith(`${folder}/`));
  if (!needsFolder) return { model: cloned.model, folder: undefined, remarks: cloned.remarks };
  const files = filesAmong(backup, singleFiles);
  const made = await makeEnvironmentFolder(folder, survey, { run });
  try {
    if (project !== undefined) await restoreProject(options, { run, backup, survey, project, folder });
    await made.makePlaces(cloned.binds.map(({ from, to }) => ({ path: to, isFile: files.has(from) })));
  } catch (error) {
    await made.undo();
    throw error;
  }
  return { model: cloned.model, folder: made, remarks: cloned.remarks };
}

/**
 * The project's folder of an environment that was there, where that is gone too, and what its containers bind in it: by the catalog,
 * not by the backup.
 */
async function folderAgain(
  options: MakeTargetOptions,
  { run, backup, survey }: TargetRequest,
  { model, project, singleFiles }: Described,
): Promise<{ readonly folder: EnvironmentFolder | undefined; readonly remarks: readonly string[] }> {
  const { folder } = survey.record;
  if (folder === null) return { folder: undefined, remarks: [] };
  const [found] = await survey.resolvePaths([folder], run);
  const isThere = found?.resolved === true && found.type !== 'nothing';
  const made = isThere
    ? existingEnvironmentFolder(folder, survey, { run })
    : await makeEnvironmentFolder(folder, survey, { run, withParents: true });
  try {
    if (!isThere && project !== undefined)
      await restoreProject(options, { run, backup, survey, project, folder });
    const files = filesAmong(backup, singleFiles);
    await made.makePlaces(boundPathsOf(model).map((path) => ({ path, isFile: files.has(path) })));
  } catch (error) {
    await made.undo();
    throw error;
  }
  return { folder: made, remarks: [] };
}

/** The paths that were bound and were a file. */
function filesAmong({ parts }: BackupWithParts, singleFiles: readonly string[]): ReadonlySet<string> {
  const binds = parts.flatMap(({ name, source }) =>
    source.kind === 'bind' ? [{ name, path: source.path }] : [],
  );
  return new Set(binds.filter(({ name }) => singleFiles.includes(name)).map(({ path }) => path));
}

/** What is bound in the environment's folder is there, and not somewhere that a link leads to. */
async function requireOwnPaths(
  { record, resolvePaths }: EnvironmentSurvey,
  model: EnvironmentModel,
  { signal }: JobRun,
): Promise<void> {
  const folder = record.folder ?? model.folder;
  if (folder === null) return;
  const paths = boundPathsOf(model).filter((path) => path.startsWith(`${folder}/`));
  const [home, ...found] = await resolvePaths([folder, ...paths], { signal });
  if (home?.resolved !== true) return;
  for (const [index, path] of paths.entries()) {
    const target = found[index];
    const own = `${home.path}${path.slice(folder.length)}`;
    if (target?.resolved === true && target.path !== own) throw leadsOut(path);
  }
}

interface ProjectRestore extends TargetRequest {
  readonly project: SealedPart;
  readonly folder: string;
}

/** The project's folder, as files: nothing uses it yet. */
async function restoreProject(
  { repositories, taskRuns, serverPlace }: MakeTargetOptions,
  { run, backup, survey, project, folder }: ProjectRestore,
): Promise<void> {
  run.step("Restoring the project's folder");
  const { name, treeId } = project;
  const { docker, host } = survey;
  const placed = await placeParts(docker, [{ partName: name, place: { kind: 'bind', path: folder } }], {
    images: imagesOf(survey),
    host,
    serverPlace,
    readOnly: false,
    signal: run.signal,
  });
  const path = placed.paths.get(name) ?? folder;
  const { repository } = await repositories.access(backup.repositoryId);
  const spec = (base: TaskBase): UnpackTask => ({
    ...base,
    kind: 'unpack',
    repository,
    name,
    treeId,
    nodePath: ['data', 'project'],
    path,
  });
  const mover = await taskRuns.start(run, 'unpack', spec, placed.mounts);
  try {
    mover.send({ type: 'go' });
    await mover.waitForSuccess(run);
  } finally {
    await taskRuns.end(mover);
  }
}

function sharesStorage(
  shared: readonly { readonly container: string; readonly otherContainer: string; readonly source: string }[],
): HoldfastError {
  const [first] = shared;
  return new HoldfastError(
    'code-refused',
    `${first?.container} would write to ${first?.source}, which ${first?.otherContainer} uses.`,
    {
      hint: 'A new environment shares no storage with another one. Make it with Compose, and restore the data alone: --no-code.',
      context: { shared: shared.map(({ source }) => source) },
    },
  );
}

function nothingToMakeOf({ id }: BackupWithParts, { record }: EnvironmentSurvey): HoldfastError {
  return new HoldfastError(
    'environment-inactive',
    `The backup ${id} does not say what containers there were, and ${record.name} has none now.`,
    {
      hint: `Start ${record.name}, or make the new environment with Compose and restore into it with --target.`,
    },
  );
}
