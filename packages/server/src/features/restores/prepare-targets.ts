import { basename, dirname } from 'node:path';
import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import { composeLabels, type DockerEngine, type ResolvedPath } from '@holdfast/docker';
import { type PartPlace, type PlacedParts, placeParts } from '../../runner/place-parts.ts';
import type { ServerPlace } from '../../runner/server-place.ts';
import { type EnvironmentSurvey, imagesOf, type SurveyedMount } from '../environments/survey.ts';
import type { PlannedPart } from './plan-restore.ts';

export interface PreparedTargets extends PlacedParts {
  /** Volumes that were not there before. */
  readonly createdVolumes: readonly string[];
  /** The targets that hold something of the environment now. */
  readonly overwritten: readonly SurveyedMount[];
}

export interface PrepareTargetsOptions extends Abortable {
  readonly serverPlace: ServerPlace;
  /** What is to be found beside the parts. */
  readonly besides?: readonly PartPlace[];
}

/** Where the parts would go. */
export interface FoundTargets {
  readonly placed: PlacedParts;
  readonly found: readonly PlannedPart[];
  /** What a restore would make. */
  readonly missing: readonly PlannedPart[];
}

/** As `prepareTargets`, to read only: what is missing stays so. @throws HoldfastError `mount-needs-container` */
export async function findTargets(
  survey: EnvironmentSurvey,
  parts: readonly PlannedPart[],
  { serverPlace, besides = [], signal }: PrepareTargetsOptions,
): Promise<FoundTargets> {
  const { docker, host } = survey;
  const found: PlannedPart[] = [];
  const missing: PlannedPart[] = [];
  for (const planned of parts) {
    const isThere = await isTargetThere(survey, planned, { signal });
    (isThere ? found : missing).push(planned);
  }
  const targets: PartPlace[] = [];
  for (const planned of found) targets.push(await findTarget(survey, planned, { signal }));
  const placing = { images: imagesOf(survey), host, serverPlace, readOnly: true, signal };
  return { placed: await placeParts(docker, [...targets, ...besides], placing), found, missing };
}

async function isTargetThere(
  { docker, resolvePaths }: EnvironmentSurvey,
  { target: { mount, described } }: PlannedPart,
  { signal }: Abortable,
): Promise<boolean> {
  if (mount.source?.kind === 'bind') {
    const [found] = await resolvePaths([described.realPath ?? mount.source.path], { signal });
    return found?.resolved === true;
  }
  if (mount.source?.kind !== 'volume') return true;
  try {
    await docker.volumes.inspect(mount.source.name, { signal });
    return true;
  } catch (error) {
    if (!isHoldfastError(error, 'volume-unknown')) throw error;
    return false;
  }
}

/**
 * Makes the named volumes and folders that are missing, and proves every path. Nothing that is there is changed.
 * @throws HoldfastError `volume-unknown`, `mount-needs-container`, `mount-refused`: what was made is removed again
 */
export async function prepareTargets(
  survey: EnvironmentSurvey,
  parts: readonly PlannedPart[],
  { serverPlace, besides = [], signal }: PrepareTargetsOptions,
): Promise<PreparedTargets> {
  const { docker, host } = survey;
  const createdVolumes: string[] = [];
  try {
    const targets: PartPlace[] = [];
    const overwritten: SurveyedMount[] = [];
    for (const planned of parts) {
      const created = await createIfMissing(survey, planned, { signal });
      createdVolumes.push(...created);
      const { isThere, ...target } = await findTarget(survey, planned, { signal });
      targets.push(target);
      if (isThere) overwritten.push(planned.target);
    }
    // A volume that was just made counts too: emptied again, it is as it was. But where all of them are, nothing was there.
    if (overwritten.length === createdVolumes.length) overwritten.length = 0;
    const placing = { images: imagesOf(survey), host, serverPlace, readOnly: false, signal };
    return { ...(await placeParts(docker, [...targets, ...besides], placing)), createdVolumes, overwritten };
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
  { target: { mount } }: PlannedPart,
  { signal }: Abortable,
): Promise<readonly string[]> {
  const { source } = mount;
  if (source?.kind !== 'volume') return [];
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

interface FoundTarget extends PartPlace {
  /** False where the restore will make it. */
  readonly isThere: boolean;
}

async function findTarget(
  { record, changeFolders, resolvePaths }: EnvironmentSurvey,
  { part, target: { mount, described } }: PlannedPart,
  { signal }: Abortable,
): Promise<FoundTarget> {
  const { source } = mount;
  const { name: partName } = part;
  if (source === null) throw new HoldfastError('internal', `The mount ${mount.name} has no source.`);
  if (source.kind !== 'bind')
    return { partName, place: { kind: 'volume', name: source.name }, isThere: true };
  const path = described.realPath ?? source.path;
  const folder = dirname(path);
  const [found, foundFolder, home] = await resolvePaths([path, folder, record.folder ?? '/'], { signal });
  if (isAt(found, path, 'folder')) return { partName, place: { kind: 'bind', path }, isThere: true };
  const isThere = isAt(found, path, 'file');
  if (!isThere) {
    const isInside = home?.resolved === true && home.path !== '/' && path.startsWith(`${home.path}/`);
    if (!isInside || home.type !== 'folder') throw nothingThere(path);
    if (!isAt(foundFolder, folder, 'folder')) {
      const places = [{ path: folder, isFile: false }];
      // Somebody may have put a link there meanwhile.
      const made = await changeFolders(
        { kind: 'places', folder: home.path, places, links: 'refuse' },
        { signal },
      );
      if (made.kind !== 'done') throw nothingThere(folder);
    }
  }
  // Files are replaced, which the target of a mount cannot be.
  return { partName, place: { kind: 'bind', path: folder, nameInside: basename(path) }, isThere };
}

function isAt(found: ResolvedPath | undefined, path: string, type: 'folder' | 'file'): boolean {
  return found?.resolved === true && found.path === path && found.type === type;
}

function nothingThere(path: string): HoldfastError {
  return new HoldfastError('mount-refused', `There is nothing at ${path} to restore to.`, {
    hint: "It is outside of the project's folder, or in a folder that is not there itself: make it, and restore again.",
    context: { path },
  });
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
      hint: "Let Compose make it as the project's own files say (docker compose create), and restore again.",
      context: { volume: name },
    },
  );
}
