import { lstat, mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Abortable, HoldfastError, isHoldfastError, systemErrorCode } from '@holdfast/base';
import { composeLabels, type DockerEngine } from '@holdfast/docker';
import { type PartPlace, provePaths } from '../../runner/prove-paths.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { PlannedPart } from './plan-restore.ts';

export interface PreparedTargets {
  /** Of each part, by its name: what a mover may write to. */
  readonly paths: ReadonlyMap<string, string>;
  /** Volumes that were not there before. */
  readonly createdVolumes: readonly string[];
}

interface Target extends PartPlace {
  /** Where nothing is yet: its name in the folder that is proven. */
  readonly missingName: string | undefined;
}

/**
 * Makes the named volumes and folders that are missing, and proves every path. Nothing that is there is changed.
 * @throws HoldfastError `volume-unknown`, `mount-needs-container`, `mount-refused`: what was made is removed again
 */
export async function prepareTargets(
  survey: EnvironmentSurvey,
  parts: readonly PlannedPart[],
  { signal }: Abortable,
): Promise<PreparedTargets> {
  const { docker, environment, host } = survey;
  const createdVolumes: string[] = [];
  try {
    const targets: Target[] = [];
    for (const planned of parts) {
      createdVolumes.push(...(await createIfMissing(survey, planned, { signal })));
      targets.push(await findTarget(survey, planned));
    }
    const instances = environment?.components.flatMap((component) => component.instances) ?? [];
    const images = [...new Set(instances.map(({ imageId }) => imageId))];
    const proven = await provePaths(docker, targets, { images, host, signal });
    const paths = new Map(targets.map((target) => [target.partName, targetPath(target, proven)]));
    return { paths, createdVolumes };
  } catch (error) {
    await removeVolumes(docker, createdVolumes);
    throw error;
  }
}

/** Removes volumes that were made for a restore that did not come to write to them. Never throws. */
export async function removeVolumes(docker: DockerEngine, volumes: readonly string[]): Promise<void> {
  await Promise.allSettled(volumes.map(async (name) => await docker.volumes.remove(name)));
}

async function createIfMissing(
  { docker, record }: EnvironmentSurvey,
  { part }: PlannedPart,
  { signal }: Abortable,
): Promise<readonly string[]> {
  const { source } = part;
  if (source.kind !== 'volume') return [];
  try {
    await docker.volumes.inspect(source.name, { signal });
    return [];
  } catch (error) {
    if (!isHoldfastError(error, 'volume-unknown')) throw error;
  }
  const { name, driver, labels, options } = source;
  if (labels[composeLabels.project] !== record.project) throw foreignVolume(name);
  if (driver !== 'local' || Object.keys(options).length > 0) throw specialVolume(name);
  await docker.volumes.create({ name, driver, labels, options }, { signal });
  return [name];
}

async function findTarget(
  { record }: EnvironmentSurvey,
  { part, target: { mount, described } }: PlannedPart,
): Promise<Target> {
  const { source } = mount;
  if (source === null) throw new HoldfastError('internal', `The mount ${mount.name} has no source.`);
  if (source.kind !== 'bind') {
    return { partName: part.name, place: { kind: 'volume', name: source.name }, missingName: undefined };
  }
  const path = described.realPath ?? source.path;
  if (await exists(path))
    return { partName: part.name, place: { kind: 'bind', path }, missingName: undefined };
  const folder = await makeFolderOf(path, record.folder);
  return { partName: part.name, place: { kind: 'bind', path: folder }, missingName: basename(path) };
}

/** @throws HoldfastError `mount-refused` for a place outside of the project's own folder */
async function makeFolderOf(path: string, projectFolder: string | null): Promise<string> {
  const refusal = new HoldfastError('mount-refused', `There is nothing at ${path} to restore to.`, {
    hint: "It is outside of the project's folder, where nothing is made: make it, and restore again.",
    context: { path },
  });
  if (projectFolder === null || !(await exists(projectFolder))) throw refusal;
  const home = await realpath(projectFolder);
  if (!path.startsWith(`${home}/`)) throw refusal;
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  // Somebody may have put a link there meanwhile.
  if ((await realpath(folder)) !== folder) throw refusal;
  return folder;
}

function targetPath({ partName, missingName }: Target, proven: ReadonlyMap<string, string>): string {
  const path = proven.get(partName);
  if (path === undefined) throw new HoldfastError('internal', `The path of ${partName} was not proven.`);
  return missingName === undefined ? path : join(path, missingName);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw new HoldfastError('target-not-writable', `${path} cannot be looked at.`, { cause: error });
  }
}

function foreignVolume(name: string): HoldfastError {
  return new HoldfastError('volume-unknown', `There is no volume ${name}, and it is not the project's own.`, {
    hint: `Make it as it was (docker volume create ${name}), and restore again.`,
    context: { volume: name },
  });
}

function specialVolume(name: string): HoldfastError {
  return new HoldfastError(
    'mount-needs-container',
    `There is no volume ${name}, and it had a driver or options of its own.`,
    {
      hint: 'Volumes like this cannot be restored by this version. Restore the others with --component.',
      context: { volume: name },
    },
  );
}
