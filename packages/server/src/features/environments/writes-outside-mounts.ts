import { type Abortable, isHoldfastError } from '@holdfast/base';
import { writesOutsideVolumes } from '@holdfast/docker';
import type { EnvironmentSurvey } from './survey.ts';

/**
 * The components that keep something in their own containers, outside of any mount: what no backup has. The engine
 * walks each container's own layer for it, so it is asked only where somebody looks at one environment.
 */
export async function writesOutsideMounts(
  { environment, docker }: EnvironmentSurvey,
  { signal }: Abortable,
): Promise<string[]> {
  const names: string[] = [];
  for (const component of environment?.components ?? []) {
    for (const { containerId } of component.instances) {
      if (await writesOutside(docker, containerId, { signal })) {
        names.push(component.name);
        break;
      }
    }
  }
  return names;
}

async function writesOutside(
  docker: EnvironmentSurvey['docker'],
  containerId: string,
  { signal }: Abortable,
): Promise<boolean> {
  try {
    const container = await docker.containers.inspect(containerId, { signal });
    const { count } = await writesOutsideVolumes(docker.containers, container, { maxCount: 1, signal });
    return count > 0;
  } catch (error) {
    // It went away while we looked: then nothing of it is lost any more.
    if (isHoldfastError(error, 'container-unknown')) return false;
    throw error;
  }
}
