import { HoldfastError } from '@holdfast/base';
import {
  type EnvironmentModel,
  findProjectFolder,
  type ProjectFolder,
  readEnvironmentModel,
} from '@holdfast/docker';
import type { BackupTask, SealedPart } from '@holdfast/protocol';
import type { PartPlace, PlacedParts } from '../../../runner/place-parts.ts';
import type { EnvironmentSurvey } from '../../environments/survey.ts';
import type { JobRun } from '../../jobs/execution/job-handler.ts';
import type { CompareCompose } from './compare-compose.ts';

/** Above one of these, a project's folder is not kept. */
export interface CodeLimits {
  readonly entries: number;
  readonly bytes: number;
}

export interface PlanCodeOptions {
  readonly run: Pick<JobRun, 'signal' | 'log'>;
  /** Null: all. */
  readonly components: readonly string[] | null;
  /** The newest ready part of each name. */
  readonly lastParts: ReadonlyMap<string, SealedPart>;
  /** Names of parts that are there already. */
  readonly taken: Iterable<string>;
  readonly limits: CodeLimits;
  /** Left out where nobody asks. */
  readonly compareCompose?: CompareCompose;
  /** Whether the backup fails where the folder is above the limits. */
  readonly isFolderRequired?: boolean;
}

/** What a backup keeps beside data. */
export interface PlannedCode {
  /** Null where only some components were chosen: code is of all of them. */
  readonly code: CodePart | null;
  readonly images: BackupTask['images'];
  /** Told already. */
  readonly warnings: readonly string[];
}

type Folder = NonNullable<NonNullable<BackupTask['code']>['folder']>;

/** The part of code and configuration, before its place is found. */
export interface CodePart {
  readonly name: string;
  /** Secret. */
  readonly model: string;
  /** Undefined where it cannot or must not be read. */
  readonly folder: (Omit<Folder, 'path'> & { readonly realPath: string }) | undefined;
  readonly parentSnapshotId: string | null;
}

export const noCode: PlannedCode = { code: null, images: [], warnings: [] };

/** Reads what an environment is, and finds its folder and the images that no registry has. */
export async function planCode(survey: EnvironmentSurvey, options: PlanCodeOptions): Promise<PlannedCode> {
  const { run, components, lastParts, limits, isFolderRequired = false } = options;
  const { docker, environment } = survey;
  if (environment === undefined) throw new HoldfastError('internal', 'Nothing is there to be modelled.');
  const model = await readEnvironmentModel(docker, environment, run);
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    run.log('warn', message);
  };
  const taken = new Set(options.taken);
  const wanted = imagesWithoutRegistry(model, { components, lastParts, taken });
  const images: BackupTask['images'] = [];
  for (const image of wanted) {
    const { imageId, reference } = image.source;
    if ((await docker.images.inspect(imageId, run)) === undefined) {
      warn(`The image ${reference} is not in the backup: the engine no longer has it`);
    } else images.push({ ...image, dockerHost: docker.host });
  }
  if (components !== null) return { code: null, images, warnings };
  const [, ...others] = environment.folders;
  if (others.length > 0) warn(`Only one project's folder is in the backup, not ${others.join(', ')}`);
  const { protectedPaths, resolvePaths, mounts } = survey;
  const found = await findProjectFolder(
    environment,
    mounts.map(({ described }) => described),
    { protectedPaths, resolvePaths, signal: run.signal },
  );
  tellOfFolder(found, run);
  const composeDifferences = (await options.compareCompose?.(survey, model, run)) ?? null;
  const last = [...lastParts.values()].find(({ source }) => source.kind === 'code');
  const code = {
    name: freeName('code', taken),
    model: `${JSON.stringify({ ...model, composeDifferences }, undefined, 2)}\n`,
    folder: folderOf(found, { named: environment.folder, limits, isRequired: isFolderRequired }),
    parentSnapshotId: last?.snapshotId ?? null,
  };
  return { code, images, warnings };
}

/** Where the folder has to be found; nothing fails where it is not. */
export function placesOfCode({ code }: PlannedCode): readonly PartPlace[] {
  if (code?.folder === undefined) return [];
  const place = { kind: 'bind', path: code.folder.realPath } as const;
  return [{ partName: code.name, place, isOptional: true }];
}

/** What the mover is told of it. */
export function codeTask(
  part: CodePart,
  { paths }: Pick<PlacedParts, 'paths'>,
): NonNullable<BackupTask['code']> {
  const { name, model, folder, parentSnapshotId } = part;
  const path = paths.get(name);
  if (folder === undefined || path === undefined) return { name, model, folder: null, parentSnapshotId };
  const { nodePaths, files, whole } = folder;
  return { name, model, folder: { path, nodePaths, files, whole }, parentSnapshotId };
}

interface ImageChoice {
  readonly components: readonly string[] | null;
  readonly lastParts: ReadonlyMap<string, SealedPart>;
  /** Added to. */
  readonly taken: Set<string>;
}

/** Each once, with the components whose containers are of it. */
export function imagesWithoutRegistry(
  { containers }: Pick<EnvironmentModel, 'containers'>,
  { components, lastParts, taken }: ImageChoice,
): Omit<BackupTask['images'][number], 'dockerHost'>[] {
  const isChosen = (component: string): boolean => components === null || components.includes(component);
  const byId = Map.groupBy(
    containers.filter(({ image, component }) => image.digests.length === 0 && isChosen(component)),
    ({ image }) => image.id,
  );
  return [...byId].map(([imageId, users]) => {
    const reference = users[0]?.image.reference ?? imageId;
    const source = {
      kind: 'image' as const,
      imageId,
      reference,
      components: [...new Set(users.map(({ component }) => component))].sort(),
    };
    return { name: freeName(`image:${reference}`, taken), source, known: knownPart(imageId, lastParts) };
  });
}

function knownPart(
  imageId: string,
  lastParts: ReadonlyMap<string, SealedPart>,
): BackupTask['images'][number]['known'] {
  const part = [...lastParts.values()].find(
    ({ source }) => source.kind === 'image' && source.imageId === imageId,
  );
  return part === undefined ? null : { snapshotId: part.snapshotId, treeId: part.treeId };
}

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count += 1) name = `${wanted}:${count}`;
  taken.add(name);
  return name;
}

function tellOfFolder(found: ProjectFolder, { log }: Pick<JobRun, 'log'>): void {
  if (!found.isReadable) log('info', `The project's folder is not in the backup: ${found.reason}`);
  else if (!found.whole.isTaken) {
    log(
      'info',
      `Of the project's folder, the part of code has only the Compose files: ${found.whole.reason}`,
    );
  }
}

function folderOf(
  found: ProjectFolder,
  {
    named,
    limits,
    isRequired,
  }: { readonly named: string | null; readonly limits: CodeLimits; readonly isRequired: boolean },
): CodePart['folder'] {
  if (!found.isReadable) return undefined;
  const { realPath, files, whole } = found;
  return {
    realPath,
    nodePaths: [...new Set([realPath, ...(named === null ? [] : [named])])],
    files: [...files],
    whole: whole.isTaken ? { leftOut: [...whole.leftOut], limits, isRequired } : null,
  };
}
