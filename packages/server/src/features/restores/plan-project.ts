import { boundPathsOf, type EnvironmentModel, findProjectFolder } from '@holdfast/docker';
import type { SealedPart } from '@holdfast/protocol';
import type { PartPlace } from '../../runner/place-parts.ts';
import type { EnvironmentSurvey } from '../environments/survey.ts';
import type { JobRun } from '../jobs/execution/job-handler.ts';

/** The project's folder, to be put to the state that a backup has of it. */
export interface PlannedProject {
  readonly part: SealedPart;
  readonly place: PartPlace;
  /** Where a node's user finds it. */
  readonly folder: string;
  /** What stays as it is: what is or was mounted from the folder, and its Git history. */
  readonly kept: [string, ...string[]][];
}

/** Where a part of code has it. */
export const projectNodePath: [string, ...string[]] = ['data', 'project'];

/** Answers a clause that says why, where the folder has to stay as it is. */
export async function planProject(
  part: SealedPart,
  survey: EnvironmentSurvey,
  { signal, model }: Pick<JobRun, 'signal'> & { readonly model?: EnvironmentModel },
): Promise<PlannedProject | string> {
  const { environment, mounts, protectedPaths, resolvePaths } = survey;
  if (part.source.kind !== 'code' || !part.source.isWhole) return 'the backup does not have all of it';
  if (environment === undefined) return 'nothing of the environment is there';
  const found = await findProjectFolder(
    environment,
    mounts.map(({ described }) => described),
    { protectedPaths, resolvePaths, signal },
  );
  if (!found.isReadable) return found.reason;
  if (!found.whole.isTaken) return found.whole.reason;
  const { realPath, whole } = found;
  return {
    part,
    folder: environment.folder ?? realPath,
    place: { partName: part.name, place: { kind: 'bind', path: realPath }, isOptional: true },
    kept: ['.git', ...whole.leftOut, ...(model === undefined ? [] : boundWithin(model))].map(
      (path) => path.split('/') as [string, ...string[]],
    ),
  };
}

/** The backup has none of it with the folder: what is there now may be all that there is of it. */
function boundWithin(model: EnvironmentModel): string[] {
  const top = `${model.folder}/`;
  return boundPathsOf(model).flatMap((path) => (path.startsWith(top) ? [path.slice(top.length)] : []));
}
