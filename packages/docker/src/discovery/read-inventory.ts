import { readFile } from 'node:fs/promises';
import { type Abortable, isHoldfastError } from '@holdfast/base';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import type { Container } from '../engine-port/engine-objects.ts';
import { containerIdOf } from '../own-container/own-container.ts';
import type { EngineInventory } from './discover-environments.ts';

/** Requests to the engine at a time. */
const parallel = 8;

/**
 * Reads all containers and volumes of an engine. A container that goes away meanwhile is left out, and so is the one that
 * this process runs in: nobody may pause or stop it, whatever environment it seems to be of.
 */
export async function readInventory(
  docker: Pick<DockerEngine, 'containers' | 'volumes'>,
  { signal }: Abortable = {},
): Promise<EngineInventory> {
  const [summaries, volumes] = await Promise.all([
    docker.containers.list({ signal }),
    docker.volumes.list({ signal }),
  ]);
  const containers: Container[] = [];
  const ownId = containerIdOf(await readFile('/proc/self/mountinfo', 'utf8'));
  const waiting = summaries.map(({ id }) => id).filter((id) => id !== ownId);
  const work = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const container = await inspectIfThere(docker, id, { signal });
      if (container !== undefined) containers.push(container);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return { containers, volumes };
}

async function inspectIfThere(
  docker: Pick<DockerEngine, 'containers'>,
  id: string,
  options: Abortable,
): Promise<Container | undefined> {
  try {
    return await docker.containers.inspect(id, options);
  } catch (error) {
    if (isHoldfastError(error, 'container-unknown')) return undefined;
    throw error;
  }
}
