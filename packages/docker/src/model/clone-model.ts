import { HoldfastError } from '@holdfast/base';
import { composeLabels } from '../discovery/labels.ts';
import { cloneContainer } from './clone-container.ts';
import { type CloneNames, cloneLabels, type LabelsOptions, nameClone } from './clone-names.ts';
import { type ClonePaths, mapPaths } from './clone-paths.ts';
import type { PortMove } from './clone-ports.ts';
import { boundPath, cleanPath } from './declared-mounts.ts';
import type { EnvironmentModel, NetworkModel, VolumeModel } from './environment-model.ts';

export interface CloneModelOptions {
  /** Of the clone: lower-case letters, digits, hyphens and underscores, as Compose takes them for a project. */
  readonly name: string;
  /** The clone's own, an absolute path on the engine's machine. */
  readonly folder: string;
  /** Ports of the engine's machine; those of stopped containers among them. */
  readonly portsTaken: readonly number[];
}

interface Move {
  readonly from: string;
  readonly to: string;
}

export interface ClonedModel {
  readonly model: EnvironmentModel;
  readonly containers: readonly Move[];
  readonly networks: readonly Move[];
  /** One for each volume, without a name or not. */
  readonly volumes: readonly Move[];
  /** Paths that are bound, also by the options of a volume: each has to be there before the clone is made. */
  readonly binds: readonly Move[];
  /** Only those that are not as they were; `container` is the clone's. */
  readonly ports: readonly (PortMove & { readonly container: string })[];
  /** What is not, or cannot be, as in the original: sentences. */
  readonly remarks: readonly string[];
}

/**
 * The same environment under another name, which shares no writable storage with the original or any other: volumes and
 * networks are its own, those that were external too; what is bound within the project's folder is in the new one, what is
 * bound from elsewhere in a folder beneath it. Only sockets, devices and the like of the machine stay.
 *
 * Volumes of any driver but the engine's own, or on another machine, become plain ones. Contents are the caller's to bring.
 *
 * Fails with `usage-invalid` for a name or a folder that would not keep the two apart.
 */
export function cloneModel(model: EnvironmentModel, options: CloneModelOptions): ClonedModel {
  refuseUnusableName(model, options.name);
  const names = nameClone(model, options.name);
  const paths = mapPaths(model.folder, options.folder);
  const labels: LabelsOptions = { names, path: paths.path, environment: options.name };
  const own = new Set(model.containers.map(({ name }) => name));
  const portsTaken = new Set(options.portsTaken);
  const containers = model.containers.map((container) =>
    cloneContainer(container, { environment: options.name, names, paths, containers: own, portsTaken }),
  );
  const volumes = model.volumes.map((volume) => cloneVolume(volume, { labels, paths, names }));
  const networks = model.networks.map((network) => cloneNetwork(network, { labels, names }));
  const binds = [...containers, ...volumes].flatMap((each) => each.binds);
  return {
    model: {
      ...model,
      project: model.project === null ? null : options.name,
      folder: cleanPath(options.folder),
      containers: containers.map(({ container }) => container),
      networks: networks.map(({ network }) => network),
      volumes: volumes.map(({ volume }) => volume),
    },
    containers: moves(model.containers, names.container),
    networks: moves(model.networks, names.network),
    volumes: moves(model.volumes, names.volume),
    binds: [...new Map(binds.map((bind) => [`${bind.from}\0${bind.to}`, bind])).values()],
    ports: containers.flatMap(({ container, ports }) =>
      ports.map((port) => ({ ...port, container: container.name })),
    ),
    remarks: [...containers, ...volumes, ...networks].flatMap(({ remarks }) => remarks),
  };
}

/** What Compose takes for the name of a project, and the engine for the beginning of its containers' names. */
export function isProjectName(name: string): boolean {
  return /^[a-z0-9][a-z0-9_-]{0,62}$/.test(name);
}

function refuseUnusableName(model: EnvironmentModel, name: string): void {
  const isTaken = name === model.project;
  if (!isTaken && isProjectName(name)) return;
  throw new HoldfastError('usage-invalid', `A clone cannot be called ${name}.`, {
    hint: isTaken
      ? 'That is the original’s name.'
      : 'A name has up to 63 lower-case letters, digits, hyphens and underscores, and begins with a letter or a digit.',
    context: { name },
  });
}

function moves(items: readonly { readonly name: string }[], rename: (name: string) => string): Move[] {
  return items.map(({ name }) => ({ from: name, to: rename(name) }));
}

interface PartOptions {
  readonly labels: LabelsOptions;
  readonly names: CloneNames;
}

function cloneVolume(
  volume: VolumeModel,
  { labels, paths, names }: PartOptions & { readonly paths: ClonePaths },
) {
  const own = {
    ...volume,
    name: names.volume(volume.name),
    isExternal: false,
    labels: ownLabels(volume, { labels, kind: composeLabels.volume }),
  };
  const path = boundPath(volume);
  if (path !== undefined) {
    const to = paths.path(path);
    const isFolder = volume.options.o?.split(',').some((option) => option === 'bind' || option === 'rbind');
    if (isFolder === true) {
      return {
        volume: { ...own, options: { ...volume.options, device: to } },
        binds: [{ from: path, to }],
        remarks: [],
      };
    }
  }
  const isPlain = volume.driver === 'local' && Object.keys(volume.options).length === 0;
  const isInMemory = volume.driver === 'local' && volume.options.type === 'tmpfs';
  if (isPlain || isInMemory) return { volume: own, binds: [], remarks: [] };
  return {
    volume: { ...own, driver: 'local', options: {} },
    binds: [],
    remarks: [`${own.name} is a plain volume: where ${volume.name} has its contents would be shared.`],
  };
}

/** Its addresses are chosen anew: two networks cannot have the same. */
function cloneNetwork(network: NetworkModel, { labels, names }: PartOptions) {
  const name = names.network(network.name);
  const { 'com.docker.network.bridge.name': bridge, ...options } = network.options;
  const remarks: string[] = [];
  if (network.isExternal) {
    remarks.push(`${name} stands for ${network.name}: whatever else is connected to that is not reached.`);
  }
  if (network.driver === 'macvlan' || network.driver === 'ipvlan') {
    remarks.push(`${name} needs another interface of the machine than ${network.name} has.`);
  }
  if (bridge !== undefined) remarks.push(`${name} has an interface called otherwise than ${bridge}.`);
  return {
    network: {
      ...network,
      name,
      isExternal: false,
      options,
      ipam: { ...network.ipam, subnets: [] },
      labels: ownLabels(network, { labels, kind: composeLabels.network }),
    },
    remarks,
  };
}

/** What was another's is the clone's: Compose's labels say so, and nothing of what that one put on it stays. */
function ownLabels(
  part: VolumeModel | NetworkModel,
  { labels, kind }: { readonly labels: LabelsOptions; readonly kind: string },
): Record<string, string> {
  if ('isAnonymous' in part && part.isAnonymous) return cloneLabels(part.labels, labels);
  if (!part.isExternal) return cloneLabels(part.labels, labels);
  const kept = Object.entries(part.labels).filter(([label]) => !label.startsWith('com.docker.compose.'));
  return { ...Object.fromEntries(kept), [composeLabels.project]: labels.environment, [kind]: part.name };
}
