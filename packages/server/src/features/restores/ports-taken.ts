import { type Abortable, isHoldfastError } from '@holdfast/base';
import { type ContainerModel, type DockerEngine, publishedPortsOf } from '@holdfast/docker';

type Container = Pick<ContainerModel, 'hostConfig'>;

/** The ports of the engine's machine that its containers publish, those of stopped ones among them. */
export async function portsTakenOn(
  { containers }: Pick<DockerEngine, 'containers'>,
  { signal }: Abortable,
): Promise<readonly number[]> {
  const found: Container[] = [];
  for (const { id } of await containers.list({ signal })) {
    try {
      const described = await containers.describe(id, { signal });
      found.push({ hostConfig: described.HostConfig as Container['hostConfig'] });
    } catch (error) {
      // It has gone meanwhile, and its ports with it.
      if (!isHoldfastError(error, 'container-unknown')) throw error;
    }
  }
  return publishedPortsOf({ containers: found });
}
