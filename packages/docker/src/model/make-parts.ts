import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import type { EnvironmentModel, NetworkModel } from './environment-model.ts';
import { objectAt } from './json-access.ts';

type Docker = Pick<DockerEngine, 'networks' | 'volumes'>;

/** Networks and volumes of a model that an engine does not have. */
export interface MissingParts {
  readonly networks: EnvironmentModel['networks'];
  readonly volumes: EnvironmentModel['volumes'];
}

/** Fails with `network-unknown` or `volume-unknown` where one is missing that somebody else has to make. */
export async function findMissingParts(
  docker: Docker,
  model: EnvironmentModel,
  { createExternal = false, signal }: Abortable & { readonly createExternal?: boolean },
): Promise<MissingParts> {
  const [networks, volumes] = await Promise.all([
    docker.networks.list({ signal }),
    docker.volumes.list({ signal }),
  ]);
  const isMissingIn = (found: readonly { readonly name: string }[]) => {
    const names = new Set(found.map(({ name }) => name));
    return ({ name }: { readonly name: string }) => !names.has(name);
  };
  const missing = {
    networks: model.networks.filter(isMissingIn(networks)),
    volumes: model.volumes.filter(isMissingIn(volumes)),
  };
  if (!createExternal) {
    refuseExternal('network', missing.networks);
    refuseExternal('volume', missing.volumes);
  }
  return missing;
}

function refuseExternal(
  kind: 'network' | 'volume',
  missing: readonly { readonly name: string; readonly isExternal: boolean }[],
): void {
  const names = missing.filter(({ isExternal }) => isExternal).map(({ name }) => name);
  if (names.length === 0) return;
  const list = names.join(', ');
  throw new HoldfastError(
    kind === 'network' ? 'network-unknown' : 'volume-unknown',
    `The environment uses the external ${kind} ${list}, which does not exist.`,
    { hint: `It is not the environment's own: make it first (docker ${kind} create).`, context: { names } },
  );
}

export interface PartMaker {
  make(missing: MissingParts, model: EnvironmentModel): Promise<void>;
  /** Removes what was made, also where the engine's answer never came. */
  undo(): Promise<void>;
}

/** Makes networks and volumes, and knows at each moment what it may have made. */
export function createPartMaker(docker: Docker, { signal }: Abortable): PartMaker {
  const undoing: (() => Promise<void>)[] = [];
  const remember = async (work: () => Promise<unknown>, remove: () => Promise<void>) => {
    undoing.push(remove);
    try {
      await work();
    } catch (error) {
      // Refused: whatever has that name now is somebody else's.
      if (isHoldfastError(error, 'docker-refused')) undoing.pop();
      throw error;
    }
  };
  return {
    async make({ networks, volumes }, model) {
      for (const volume of volumes) {
        await remember(
          () => docker.volumes.create(volume, { signal }),
          () => unlessGone(docker.volumes.remove(volume.name)),
        );
      }
      for (const network of networks) {
        await remember(
          () =>
            createNetwork(docker, network, { hasFixedAddresses: hasFixedAddresses(model, network), signal }),
          () => unlessGone(docker.networks.remove(network.name)),
        );
      }
    },
    async undo() {
      for (let remove = undoing.pop(); remove !== undefined; remove = undoing.pop()) await remove();
    },
  };
}

/** Where nothing depends on the subnets, those that are taken here give way to others. */
async function createNetwork(
  { networks }: Docker,
  network: NetworkModel,
  { hasFixedAddresses, signal }: Abortable & { readonly hasFixedAddresses: boolean },
): Promise<void> {
  try {
    await networks.create(network, { signal });
  } catch (error) {
    const mayGiveWay = network.ipam.subnets.length > 0 && !hasFixedAddresses;
    if (!mayGiveWay || !isHoldfastError(error, 'docker-refused')) throw error;
    await networks.create({ ...network, ipam: { ...network.ipam, subnets: [] } }, { signal });
  }
}

function hasFixedAddresses({ containers }: EnvironmentModel, { name }: NetworkModel): boolean {
  return containers.some(
    ({ endpoints }) => Object.keys(objectAt(endpoints[name] ?? {}, 'IPAMConfig')).length > 0,
  );
}

async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isHoldfastError(error, 'network-unknown', 'volume-unknown')) throw error;
  }
}
