import {
  type ComposeDifferences,
  compareComposeFiles,
  composeFilesOf,
  type EnvironmentModel,
  findCompose,
  resolveComposeFiles,
} from '@holdfast/docker';
import type { ServerPlace } from '../../../runner/server-place.ts';
import type { EnvironmentSurvey } from '../../environments/survey.ts';
import type { JobRun } from '../../jobs/execution/job-handler.ts';

/** Says in what the containers of an environment are otherwise than its Compose files; null where that cannot be known. */
export type CompareCompose = (
  survey: EnvironmentSurvey,
  model: EnvironmentModel,
  run: Pick<JobRun, 'signal' | 'log'>,
) => Promise<ComposeDifferences | null>;

export interface CompareComposeOptions {
  /** Null: whatever is found. */
  readonly program: string | null;
  readonly serverPlace: Pick<ServerPlace, 'isInContainer'>;
}

export function createCompareCompose({ program, serverPlace }: CompareComposeOptions): CompareCompose {
  return async ({ docker, host }, model, run) => {
    const files = composeFilesOf(model);
    if (files === undefined || serverPlace.isInContainer || !host.isShared) return null;
    const found = program ?? (await findCompose(process.env));
    const resolved =
      found === undefined
        ? 'there is no Docker Compose on this machine'
        : await resolveComposeFiles(found, files, run);
    if (typeof resolved === 'string') {
      run.log('info', `The containers are not compared with their Compose files: ${resolved}`);
      return null;
    }
    const imageVariables = new Map<string, readonly string[]>();
    for (const id of new Set(model.containers.map(({ image }) => image.id))) {
      const image = await docker.images.inspect(id, run);
      if (image !== undefined) imageVariables.set(id, image.variables);
    }
    const differences = compareComposeFiles(resolved, model, { imageVariables });
    for (const [component, fields] of Object.entries(differences)) {
      run.log(
        'info',
        `${component} is not as its Compose files say, and docker compose up would change it: ${fields.join(', ')}`,
      );
    }
    return differences;
  };
}
