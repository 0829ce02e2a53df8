import { readFile } from 'node:fs/promises';
import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { DockerEngine, NewMount } from '../engine-port/docker-engine.ts';
import type { Container } from '../engine-port/engine-objects.ts';
import { isWithin } from '../mounts/path-containment.ts';
import { isContainerMountTable } from '../volume-proof/host-view.ts';

/**
 * The container that this process runs in; undefined where it runs in none. The engine has to be the one that runs it:
 * what this process says of its own files can then be said to the engine, too.
 *
 * @throws HoldfastError `mount-needs-container` for a container that the engine does not know
 */
export async function findOwnContainer(
  docker: Pick<DockerEngine, 'containers' | 'host'>,
  options: Abortable = {},
): Promise<Container | undefined> {
  const mountInfo = await readFile('/proc/self/mountinfo', 'utf8');
  if (!isContainerMountTable(mountInfo)) return undefined;
  const id = containerIdOf(mountInfo);
  try {
    if (id !== undefined) return await docker.containers.inspect(id, options);
  } catch (error) {
    if (!isHoldfastError(error, 'container-unknown')) throw error;
  }
  throw new HoldfastError(
    'mount-needs-container',
    'Holdfast runs in a container that the Docker Engine which it was given does not know.',
    {
      hint: 'Mount the socket of the very engine that runs this container (see compose.yaml), or run Holdfast outside of a container.',
      context: { dockerHost: docker.host },
    },
  );
}

/** From `/proc/self/mountinfo`: Docker's file over `/etc/hostname` lies in a folder that is named after the container. */
export function containerIdOf(mountInfo: string): string | undefined {
  for (const line of mountInfo.split('\n')) {
    const [, , , root = '', mountPoint = ''] = line.split(' ');
    if (mountPoint !== '/etc/hostname' && mountPoint !== '/etc/hosts') continue;
    const id = /\/containers\/([0-9a-f]{64})\//.exec(root)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

/**
 * Where a path of a container is on the engine's machine; undefined for one that is in the container alone, and would be
 * gone with it.
 */
export function pathOnMachine({ mounts }: Pick<Container, 'mounts'>, path: string): string | undefined {
  const [mount] = mounts
    .filter(({ type, destination }) => (type === 'volume' || type === 'bind') && isWithin(path, destination))
    .toSorted((a, b) => b.destination.length - a.destination.length);
  if (mount === undefined || mount.source === '') return undefined;
  return mount.source + path.slice(mount.destination.length);
}

/**
 * What gives another container a path of this one, under the same name: the folder alone, and not all of the volume that
 * it lies in.
 * @throws HoldfastError `configuration-invalid` for a path that is in this container alone
 */
export function shareWithContainer(own: Container, path: string, { readOnly = false } = {}): NewMount {
  const source = pathOnMachine(own, path);
  if (source !== undefined) return { type: 'bind', source, destination: path, readOnly };
  throw new HoldfastError('configuration-invalid', `${path} lies in the server's container alone.`, {
    hint: 'Mount a volume or a folder of the machine there: without, it would be gone with the container.',
    context: { path },
  });
}
