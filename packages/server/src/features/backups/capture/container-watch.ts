import type { Abortable } from '@holdfast/base';
import { type DockerEngine, discoverEnvironments, type FreezeTarget, readInventory } from '@holdfast/docker';

export interface WatchedContainer extends FreezeTarget {
  readonly name: string;
  /** It runs and is not paused. */
  readonly goesOn: boolean;
}

/** Every container of the environment as it is now, one-off ones too. */
export async function watchContainers(
  docker: Pick<DockerEngine, 'containers' | 'volumes'>,
  environmentName: string,
  { signal }: Abortable,
): Promise<readonly WatchedContainer[]> {
  const environments = discoverEnvironments(await readInventory(docker, { signal }));
  const environment = environments.find(({ name }) => name === environmentName);
  if (environment === undefined) return [];
  const instances = [
    ...environment.components.flatMap((component) => component.instances),
    ...environment.oneOffs,
  ];
  return instances.map(({ containerId, name, startedAt, status }) => ({
    containerId,
    name,
    startedAt,
    goesOn: status === 'running',
  }));
}

/** The engine's start time of a container that was never started. */
const neverStarted = '0001-01-01T00:00:00Z';

/**
 * Names of containers that ran while the others were frozen: what they wrote is not of the same moment.
 * @param before as they were when those that ran were about to be paused
 * @param after as they are when the others go on again, without those
 */
export function startedMeanwhile(
  before: readonly WatchedContainer[],
  after: readonly WatchedContainer[],
): readonly string[] {
  const starts = new Map(before.map(({ containerId, startedAt }) => [containerId, startedAt]));
  return after
    .filter(
      ({ containerId, startedAt, goesOn }) =>
        goesOn || startedAt !== (starts.get(containerId) ?? neverStarted),
    )
    .map(({ name }) => name);
}
