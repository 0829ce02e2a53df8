import type { JsonObject } from '../engine-port/json-object.ts';
import { type CloneNames, cloneLabels } from './clone-names.ts';
import type { ClonePaths } from './clone-paths.ts';
import { moveBindings, type PortMove } from './clone-ports.ts';
import { renameFirst, renameReferences } from './container-references.ts';
import { cleanPath, isSystemPath, parseBind } from './declared-mounts.ts';
import type { ContainerModel } from './environment-model.ts';
import { objectAt, objectsAt, textAt, textsAt, without } from './json-access.ts';
import { engineNetworks } from './read-model.ts';

export interface CloneContainerOptions {
  /** Of the clone. */
  readonly environment: string;
  readonly names: CloneNames;
  readonly paths: ClonePaths;
  /** Of the model that is cloned. */
  readonly containers: ReadonlySet<string>;
  /** Added to. */
  readonly portsTaken: Set<number>;
}

export interface ClonedContainer {
  readonly container: ContainerModel;
  readonly binds: readonly { readonly from: string; readonly to: string }[];
  readonly ports: readonly PortMove[];
  /** What is not, or cannot be, as in the original: sentences. */
  readonly remarks: readonly string[];
}

/** One container of a clone: nothing that it can write to is the original's. */
export function cloneContainer(model: ContainerModel, options: CloneContainerOptions): ClonedContainer {
  const { names, paths, environment, portsTaken, containers } = options;
  const binds = new Map<string, string>();
  const moveBind = (source: string, isReadOnly: boolean): string => {
    const from = cleanPath(source);
    const to = paths.bind({ source: from, isReadOnly });
    if (to !== from) binds.set(from, to);
    return to;
  };
  const kept = keepOwnReferences(model.hostConfig, containers);
  const renamed = renameReferences(kept, (name) => (containers.has(name) ? names.container(name) : name));
  const { bindings, moves } = moveBindings(objectAt(renamed, 'PortBindings'), portsTaken);
  const hostConfig = {
    ...renamed,
    ...('PortBindings' in renamed ? { PortBindings: bindings } : {}),
    ...('VolumeDriver' in renamed ? { VolumeDriver: '' } : {}),
    NetworkMode: names.network(textAt(renamed, 'NetworkMode')),
    Binds: textsAt(renamed, 'Binds').map((text) => {
      const { source, destination, mode } = parseBind(text);
      const isReadOnly = mode.split(',').includes('ro');
      const moved = source.startsWith('/') ? moveBind(source, isReadOnly) : names.volume(source);
      return [moved, destination, ...(mode === '' ? [] : [mode])].join(':');
    }),
    Mounts: objectsAt(renamed, 'Mounts').map((mount) => {
      const source = textAt(mount, 'Source');
      if (mount.Type === 'bind') return { ...mount, Source: moveBind(source, mount.ReadOnly === true) };
      if (mount.Type !== 'volume' || source === '') return mount;
      // The volume is made beforehand: what to make it like would only contradict it.
      const how = without(objectAt(mount, 'VolumeOptions'), 'DriverConfig', 'Labels');
      return { ...mount, Source: names.volume(source), VolumeOptions: how };
    }),
  };
  return {
    container: {
      ...model,
      name: names.container(model.name),
      config: {
        ...without(model.config, 'MacAddress'),
        Labels: cloneLabels(textsOf(objectAt(model.config, 'Labels')), {
          names,
          path: paths.path,
          environment,
        }),
      },
      hostConfig,
      endpoints: cloneEndpoints(model, options),
      volumes: model.volumes.map((volume) => ({ ...volume, name: names.volume(volume.name) })),
    },
    binds: [...binds].map(([from, to]) => ({ from, to })),
    ports: moves,
    remarks: remarksOn(model, containers),
  };
}

/** Volumes of a container that is not cloned would be shared with it. */
function keepOwnReferences(hostConfig: JsonObject, containers: ReadonlySet<string>): JsonObject {
  const from = textsAt(hostConfig, 'VolumesFrom');
  if (from.length === 0) return hostConfig;
  return { ...hostConfig, VolumesFrom: from.filter((text) => containers.has(firstOf(text))) };
}

/** Old names stay as aliases: the networks are the clone's own, so that they lead nowhere else. */
function cloneEndpoints(model: ContainerModel, { names, containers }: CloneContainerOptions) {
  return Object.fromEntries(
    Object.entries(model.endpoints).map(([network, endpoint]) => {
      if (engineNetworks.includes(network)) return [network, without(endpoint, 'IPAMConfig')];
      const aliases = [...textsAt(endpoint, 'Aliases'), model.name, names.container(model.name)];
      const links = textsAt(endpoint, 'Links').map((link) =>
        renameFirst(link, (name) => (containers.has(name) ? names.container(name) : name)),
      );
      const moved = {
        ...without(endpoint, 'IPAMConfig', 'MacAddress'),
        Aliases: [...new Set(aliases)],
        ...(links.length === 0 ? {} : { Links: links }),
      };
      return [names.network(network), moved];
    }),
  );
}

function remarksOn(model: ContainerModel, containers: ReadonlySet<string>): string[] {
  const { name, hostConfig, endpoints, config } = model;
  const remarks: string[] = [];
  const others = textsAt(hostConfig, 'VolumesFrom')
    .map(firstOf)
    .filter((other) => !containers.has(other));
  for (const other of others)
    remarks.push(`${name} has not the volumes of ${other}, which is of another environment.`);
  for (const mode of ['NetworkMode', 'PidMode', 'IpcMode']) {
    const text = textAt(hostConfig, mode);
    const other = text.startsWith('container:') ? text.slice('container:'.length) : undefined;
    if (other !== undefined && !containers.has(other)) {
      remarks.push(`${name} shares the ${mode} of ${other}, which is of another environment.`);
    }
  }
  if (hostConfig.NetworkMode === 'host') {
    remarks.push(`${name} is on the machine's own network: its ports are those of the original.`);
  }
  for (const [network, endpoint] of Object.entries(endpoints)) {
    if (Object.keys(objectAt(endpoint, 'IPAMConfig')).length > 0) {
      remarks.push(`${name} has no fixed address on ${network} any more.`);
    }
  }
  for (const source of writableSystemPaths(hostConfig)) {
    remarks.push(`${name} still has ${source} of the machine, as the original has.`);
  }
  const routed = Object.keys(objectAt(config, 'Labels')).some((label) => /^(traefik|caddy)\b/.test(label));
  const isProxied = routed || textsAt(config, 'Env').some((text) => /^VIRTUAL_HOST=/.test(text));
  if (isProxied) remarks.push(`${name} asks a proxy for the same addresses as the original.`);
  return remarks;
}

function writableSystemPaths(hostConfig: JsonObject): string[] {
  const binds = textsAt(hostConfig, 'Binds')
    .map(parseBind)
    .filter(({ mode }) => !mode.split(',').includes('ro'))
    .map(({ source }) => source);
  const mounts = objectsAt(hostConfig, 'Mounts')
    .filter(({ Type, ReadOnly }) => Type === 'bind' && ReadOnly !== true)
    .map((mount) => textAt(mount, 'Source'));
  return [...binds, ...mounts].map(cleanPath).filter(isSystemPath);
}

function firstOf(text: string): string {
  return text.split(':')[0] ?? '';
}

function textsOf(labels: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.keys(labels).map((label) => [label, textAt(labels, label)]));
}
