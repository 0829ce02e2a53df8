import type { Abortable } from '@holdfast/base';
import { isAnonymous } from '../discovery/collect-mounts.ts';
import type { Environment, Instance } from '../discovery/environment.ts';
import { composeLabels, holdfastLabels, labelText } from '../discovery/labels.ts';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import type { Network, Volume } from '../engine-port/engine-objects.ts';
import type { JsonObject } from '../engine-port/json-object.ts';
import { containerOfMode, renameFirst, renameReferences } from './container-references.ts';
import type {
  ContainerModel,
  EnvironmentModel,
  MountedVolume,
  NetworkModel,
  VolumeModel,
} from './environment-model.ts';
import { objectAt, objectsAt, textAt, textsAt, without } from './json-access.ts';

/** Networks that every engine has. */
export const engineNetworks: readonly string[] = ['bridge', 'host', 'none'];

/** What an engine has that a container may name. */
interface Surroundings {
  readonly hostName: string;
  readonly containers: readonly { readonly id: string; readonly name: string }[];
  readonly networks: readonly Network[];
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Compose projects that the environment is made of. */
  readonly projects: ReadonlySet<string>;
}

/**
 * Reads an environment as a model that is enough to make it again. Containers of `docker compose run` are left out, and so
 * are those that Holdfast made for itself or set aside.
 *
 * Fails as every call to the engine does; with `container-unknown` when a container goes away meanwhile.
 */
export async function readEnvironmentModel(
  docker: Pick<DockerEngine, 'containers' | 'networks' | 'volumes' | 'images' | 'info'>,
  environment: Environment,
  { signal }: Abortable = {},
): Promise<EnvironmentModel> {
  const [info, containers, networks, volumes] = await Promise.all([
    docker.info({ signal }),
    docker.containers.list({ signal }),
    docker.networks.list({ signal }),
    docker.volumes.list({ signal }),
  ]);
  const instances = environment.components.flatMap((component) => component.instances);
  const ids = new Set(instances.map(({ containerId }) => containerId));
  const surroundings: Surroundings = {
    hostName: info.hostName,
    containers,
    networks,
    volumes: new Map(volumes.map((volume) => [volume.name, volume])),
    projects: projectsOf(containers.filter(({ id }) => ids.has(id))).add(environment.composeProject ?? ''),
  };
  const models: ContainerModel[] = [];
  for (const instance of instances) {
    const description = await docker.containers.describe(instance.containerId, { signal });
    const image = await docker.images.inspect(instance.imageId, { signal });
    models.push(toContainerModel(description, { instance, digests: image?.digests ?? [], surroundings }));
  }
  return {
    version: 1,
    engine: { version: info.engineVersion, architecture: info.architecture, os: info.os },
    project: environment.composeProject,
    folder: environment.folder,
    containers: models.sort(byName),
    networks: networkModels(models, surroundings),
    volumes: volumeModels([...mountedVolumes(models), ...unmountedVolumes(environment)], surroundings),
    composeDifferences: null,
  };
}

function projectsOf(containers: readonly { readonly labels: Readonly<Record<string, string>> }[]) {
  return new Set(containers.flatMap(({ labels }) => labelText(labels, composeLabels.project) ?? []));
}

interface ContainerFacts {
  readonly instance: Instance;
  readonly digests: readonly string[];
  readonly surroundings: Surroundings;
}

function toContainerModel(
  description: JsonObject,
  { instance, digests, surroundings }: ContainerFacts,
): ContainerModel {
  const shortId = instance.containerId.slice(0, 12);
  const config = objectAt(description, 'Config');
  const hostConfig = toHostConfig(objectAt(description, 'HostConfig'), surroundings);
  return {
    name: instance.name,
    component: instance.component,
    image: { reference: textAt(config, 'Image'), id: textAt(description, 'Image'), digests },
    isRunning: objectAt(description, 'State').Running === true,
    config: toConfig(config, { hostConfig, shortId, hostName: surroundings.hostName }),
    hostConfig,
    endpoints: toEndpoints(objectAt(objectAt(description, 'NetworkSettings'), 'Networks'), {
      shortId,
      surroundings,
    }),
    volumes: toMountedVolumes(objectsAt(description, 'Mounts'), surroundings.volumes),
  };
}

/** The engine fills in host names, and for a container in another's network also what it would then refuse. */
function toConfig(
  config: JsonObject,
  { hostConfig, shortId, hostName }: { hostConfig: JsonObject; shortId: string; hostName: string },
): JsonObject {
  const labels = without(objectAt(config, 'Labels'), holdfastLabels.remade);
  const own = { ...config, Labels: labels };
  if (containerOfMode(hostConfig, 'NetworkMode') !== undefined) {
    return without(own, 'Hostname', 'Domainname', 'ExposedPorts', 'MacAddress');
  }
  const isInHostNetwork = hostConfig.NetworkMode === 'host';
  const isGiven =
    config.Hostname === shortId ||
    hostConfig.UTSMode === 'host' ||
    (isInHostNetwork && config.Hostname === hostName);
  return isGiven ? without(own, 'Hostname') : own;
}

function toHostConfig(hostConfig: JsonObject, { containers, networks }: Surroundings): JsonObject {
  const named = renameReferences(without(hostConfig, 'ContainerIDFile'), (reference) =>
    nameOf(reference, containers),
  );
  const network = networks.find(({ id }) => id === named.NetworkMode);
  return network === undefined ? named : { ...named, NetworkMode: network.name };
}

/** A container may be named by its id, the beginning of it, or its name. */
function nameOf(reference: string, containers: Surroundings['containers']): string {
  const plain = reference.replace(/^\//, '');
  const found =
    containers.find(({ id, name }) => id === plain || name === plain) ??
    (/^[0-9a-f]{12,}$/.test(plain) ? containers.find(({ id }) => id.startsWith(plain)) : undefined);
  return found?.name ?? plain;
}

/** All but what the engine chose when it connected the container. */
function toEndpoints(
  networks: JsonObject,
  { shortId, surroundings }: { shortId: string; surroundings: Surroundings },
): Record<string, JsonObject> {
  const names = Object.keys(networks)
    .filter((name) => name !== 'host' && name !== 'none')
    .sort();
  return Object.fromEntries(
    names.map((name) => {
      const endpoint = objectAt(networks, name);
      const aliases = textsAt(endpoint, 'Aliases').filter((alias) => alias !== shortId);
      const links = textsAt(endpoint, 'Links').map((link) =>
        renameFirst(link, (container) => nameOf(container, surroundings.containers)),
      );
      const told = {
        IPAMConfig: objectAt(endpoint, 'IPAMConfig'),
        Aliases: aliases,
        Links: links,
        DriverOpts: objectAt(endpoint, 'DriverOpts'),
        GwPriority: endpoint.GwPriority ?? 0,
      };
      return [name, Object.fromEntries(Object.entries(told).filter(([, value]) => !isEmpty(value)))];
    }),
  );
}

function isEmpty(value: JsonObject[string]): boolean {
  return value === 0 || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

function toMountedVolumes(
  mounts: readonly JsonObject[],
  volumes: ReadonlyMap<string, Volume>,
): MountedVolume[] {
  return mounts
    .filter((mount) => mount.Type === 'volume')
    .map((mount) => {
      const name = textAt(mount, 'Name');
      const volume = volumes.get(name) ?? { name, labels: {} };
      return { name, destination: textAt(mount, 'Destination'), isAnonymous: isAnonymous(volume) };
    })
    .sort((a, b) => compare(a.destination, b.destination));
}

function networkModels(models: readonly ContainerModel[], { networks, projects }: Surroundings) {
  const used = new Set(models.flatMap(({ endpoints }) => Object.keys(endpoints)));
  const isOwn = ({ labels }: Network) => projects.has(labels[composeLabels.project] ?? '');
  const found = new Map<string, NetworkModel>();
  for (const network of networks) {
    const isMeant = used.has(network.name) || isOwn(network);
    if (!isMeant || engineNetworks.includes(network.name)) continue;
    const { id: _, ...model } = network;
    if (isOwn(network) || !found.has(network.name)) {
      found.set(network.name, { ...model, isExternal: !isOwn(network) });
    }
  }
  return [...found.values()].sort(byName);
}

function mountedVolumes(models: readonly ContainerModel[]): string[] {
  return models.flatMap(({ volumes }) => volumes.map(({ name }) => name));
}

function unmountedVolumes({ mounts }: Environment): string[] {
  return mounts.flatMap(({ source, points }) =>
    points.length === 0 && (source.kind === 'volume' || source.kind === 'anonymous') ? [source.name] : [],
  );
}

/** A volume of no Compose project is another's, but for an environment that is of none either. */
function volumeModels(names: readonly string[], { volumes, projects }: Surroundings): VolumeModel[] {
  return [...new Set(names)]
    .map((name) => {
      const { mountpoint: _, ...volume } = volumes.get(name) ?? {
        name,
        driver: 'local',
        mountpoint: '',
        labels: {},
        options: {},
      };
      const isUnnamed = isAnonymous(volume);
      const isOwn = projects.has(volume.labels[composeLabels.project] ?? '');
      return { ...volume, isAnonymous: isUnnamed, isExternal: !isUnnamed && !isOwn };
    })
    .sort(byName);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
