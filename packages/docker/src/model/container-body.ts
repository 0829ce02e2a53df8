import { posix } from 'node:path';
import { holdfastLabels } from '../discovery/labels.ts';
import type { JsonObject } from '../engine-port/json-object.ts';
import { renameReferences } from './container-references.ts';
import type { ContainerModel } from './environment-model.ts';
import { objectAt, objectsAt, textAt, textsAt } from './json-access.ts';

export interface ContainerBodyOptions {
  /** What the engine calls the image. */
  readonly image: string;
  /** Which work makes the container. */
  readonly mark: string;
  /** The ids of containers that the model calls by name. */
  readonly idOf: (container: string) => string;
  /** Volumes to mount at places for which the container names none, by the place. */
  readonly anonymousVolumes: ReadonlyMap<string, string>;
  /** Whatever the model says, the engine does not start it by itself. */
  readonly isHeldBack: boolean;
}

export interface ContainerBody {
  readonly body: JsonObject;
  /** Networks that it has to be connected to once it is there: older engines take one only with the body. */
  readonly connections: readonly { readonly network: string; readonly endpoint: JsonObject }[];
}

/** What `POST /containers/create` takes to make a container as the model says. */
export function toContainerBody(model: ContainerModel, options: ContainerBodyOptions): ContainerBody {
  const hostConfig = mountVolumes(renameReferences(model.hostConfig, options.idOf), options.anonymousVolumes);
  const first = textAt(hostConfig, 'NetworkMode');
  const endpoint = model.endpoints[first];
  return {
    body: {
      ...model.config,
      Image: options.image,
      Labels: { ...objectAt(model.config, 'Labels'), [holdfastLabels.remade]: options.mark },
      HostConfig: {
        ...hostConfig,
        ...(options.isHeldBack ? { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } } : {}),
      },
      ...(endpoint === undefined ? {} : { NetworkingConfig: { EndpointsConfig: { [first]: endpoint } } }),
    },
    connections: Object.entries(model.endpoints)
      .filter(([network]) => network !== first && !isDefaultBridge(network, first))
      .map(([network, endpoint]) => ({ network, endpoint })),
  };
}

/** A container that names no network is on `bridge`. */
function isDefaultBridge(network: string, networkMode: string): boolean {
  return network === 'bridge' && (networkMode === 'default' || networkMode === '');
}

/** Names volumes where a container has none, in whichever of the engine's two ways the place is asked for. */
function mountVolumes(hostConfig: JsonObject, volumes: ReadonlyMap<string, string>): JsonObject {
  if (volumes.size === 0) return hostConfig;
  const left = new Map(volumes);
  const take = (place: string): string | undefined => {
    const path = toPlace(place);
    const volume = left.get(path);
    left.delete(path);
    return volume;
  };
  const mounts = objectsAt(hostConfig, 'Mounts').map((mount) => {
    const volume = mount.Type === 'volume' ? take(textAt(mount, 'Target')) : undefined;
    return volume === undefined ? mount : { ...mount, Source: volume };
  });
  const binds = textsAt(hostConfig, 'Binds').map((bind) => {
    const [source = '', destination = '', ...mode] = bind.split(':');
    const volume = source.startsWith('/') ? undefined : take(destination);
    return volume === undefined ? bind : [volume, destination, ...mode].join(':');
  });
  const added = [...left].map(([place, volume]) => ({ Type: 'volume', Source: volume, Target: place }));
  return { ...hostConfig, Mounts: [...mounts, ...added], Binds: binds };
}

/** As the engine tells it: without a slash at its end. */
function toPlace(path: string): string {
  return posix.join('/', path).replace(/(?<=.)\/$/, '');
}
