import { type Abortable, isHoldfastError, throwIfAborted } from '@holdfast/base';
import { holdfastLabels } from '../discovery/labels.ts';
import type { ContainerCalls, DockerEngine, NewMount, VolumeCalls } from '../engine-port/docker-engine.ts';
import type { Image } from '../engine-port/engine-objects.ts';
import { removeLeftNonces } from './nonce-file.ts';
import { isOwnerGone, ownOwner } from './probe-owner.ts';

/** Where the probe mounts what it looks at: a path that no image has. */
export const probeFolder = '/.holdfast-probe';

export interface ProbeContainer extends AsyncDisposable {
  readonly containerId: string;
}

export interface ProbeOptions extends Abortable {
  readonly image: Image;
  readonly mounts: readonly NewMount[];
}

/** Creates the throw-away container. It is never started: its files are read through the engine. */
export async function createProbe(
  containers: Pick<ContainerCalls, 'create' | 'remove'>,
  { image, mounts, signal }: ProbeOptions,
): Promise<ProbeContainer> {
  // A volume that the image declares would be made, and filled from the image, for nothing.
  const masks = image.declaredVolumes.map((destination): NewMount => ({ type: 'tmpfs', destination }));
  throwIfAborted(signal);
  // Not cut short by the signal: a container whose id is not known could not be removed.
  const containerId = await containers.create({
    image: image.id,
    command: ['never-started'],
    labels: { [holdfastLabels.internal]: 'probe', [holdfastLabels.internalOwner]: ownOwner() },
    mounts: [...masks, ...mounts],
  });
  return {
    containerId,
    [Symbol.asyncDispose]: () => removeIfThere(containers, containerId),
  };
}

/**
 * Removes what processes that have ended left behind: their probe containers and, in the volumes that those mount, their
 * nonces. A probe is made before its nonces, so that it tells where to look for them.
 */
export async function removeLeftProbes(
  { containers, volumes }: Pick<DockerEngine, 'containers' | 'volumes'>,
  { signal }: Abortable,
): Promise<void> {
  const probes = await containers.list({ labels: [`${holdfastLabels.internal}=probe`], signal });
  for (const { id, labels } of probes) {
    if (!isOwnerGone(labels[holdfastLabels.internalOwner] ?? '')) continue;
    for (const name of await mountedVolumes(containers, id, { signal })) {
      const mountpoint = await mountpointOf(volumes, name, { signal });
      if (mountpoint !== undefined) await removeLeftNonces(mountpoint);
    }
    await removeIfThere(containers, id);
  }
}

async function mountedVolumes(
  containers: Pick<ContainerCalls, 'inspect'>,
  id: string,
  options: Abortable,
): Promise<string[]> {
  try {
    const { mounts } = await containers.inspect(id, options);
    return mounts.flatMap(({ volumeName }) => volumeName ?? []);
  } catch (error) {
    if (isHoldfastError(error, 'container-unknown')) return [];
    throw error;
  }
}

/** Undefined for a volume that is gone, or that no probe was ever made for. */
async function mountpointOf(
  volumes: Pick<VolumeCalls, 'inspect'>,
  name: string,
  signal: Abortable,
): Promise<string | undefined> {
  try {
    const { driver, options, mountpoint } = await volumes.inspect(name, signal);
    return driver === 'local' && Object.keys(options).length === 0 ? mountpoint : undefined;
  } catch (error) {
    if (isHoldfastError(error, 'volume-unknown')) return undefined;
    throw error;
  }
}

async function removeIfThere(containers: Pick<ContainerCalls, 'remove'>, id: string): Promise<void> {
  try {
    await containers.remove(id);
  } catch (error) {
    if (!isHoldfastError(error, 'container-unknown')) throw error;
  }
}
