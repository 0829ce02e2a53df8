import { isDeepStrictEqual } from 'node:util';
import { composeLabels } from '../discovery/labels.ts';
import type { JsonObject } from '../engine-port/json-object.ts';
import { referencesOf } from './container-references.ts';
import { parseBind } from './declared-mounts.ts';
import type { ContainerModel, EnvironmentModel } from './environment-model.ts';
import { objectAt, objectsAt, textAt, textsAt, without } from './json-access.ts';

/** What has to be done to the containers of an environment to bring it to another model. */
export interface ModelDifference {
  /** To be made, in the place of those with the same name where there are some. */
  readonly wanted: readonly ContainerModel[];
  /** By name, of each of these: the fields in which it is another. No values, for they may be secret. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** Names of those that the other model does not have. */
  readonly surplus: readonly string[];
}

/** Labels that say how Compose came to make a container, not what it is. */
const labelsOfMaking = [composeLabels.replace, composeLabels.version];

/**
 * Compares what an environment is to be with what it is now. Not whether containers run, nor their restart policies, which
 * can be changed without making them anew, nor how volumes without a name are called.
 */
export function compareModels(wanted: EnvironmentModel, now: EnvironmentModel): ModelDifference {
  const current = new Map(now.containers.map((container) => [container.name, container]));
  const fields = new Map<string, readonly string[]>();
  for (const container of wanted.containers) {
    const other = current.get(container.name);
    const different = other === undefined ? ['new'] : differentFields(container, other);
    if (different.length > 0) fields.set(container.name, different);
  }
  // Who shares something of a container refers to it by an id, which a new one does not have.
  for (let size = -1; size !== fields.size; ) {
    size = fields.size;
    for (const { name, hostConfig } of wanted.containers) {
      const other = referencesOf(hostConfig).find((reference) => fields.has(reference));
      if (other !== undefined && !fields.has(name)) fields.set(name, [`what it shares with ${other}`]);
    }
  }
  const names = new Set(wanted.containers.map(({ name }) => name));
  return {
    wanted: wanted.containers.filter(({ name }) => fields.has(name)),
    fields,
    surplus: now.containers.flatMap(({ name }) => (names.has(name) ? [] : [name])),
  };
}

function differentFields(container: ContainerModel, other: ContainerModel): string[] {
  const [wanted, now] = [essenceOf(container), essenceOf(other)];
  const names = new Set([...Object.keys(wanted), ...Object.keys(now)]);
  return [...names].filter((name) => !isDeepStrictEqual(wanted[name], now[name])).sort();
}

/** What makes a container what it is, by names that people know from `docker inspect`. */
function essenceOf({ component, image, config, hostConfig, endpoints, volumes }: ContainerModel) {
  const unnamed = new Set(volumes.filter(({ isAnonymous }) => isAnonymous).map((each) => each.destination));
  const essence: Readonly<Record<string, unknown>> = {
    ...config,
    ...withoutMounts(without(hostConfig, 'RestartPolicy'), unnamed),
    Labels: without(objectAt(config, 'Labels'), ...labelsOfMaking),
    // Two images may be called the same.
    Image: image.id,
    Networks: endpoints,
    Volumes: volumes.map(({ name, destination, isAnonymous }) => [destination, isAnonymous ? null : name]),
    component,
  };
  return essence;
}

/** Once it was made again, a container names the volumes for which it had no name before. */
function withoutMounts(hostConfig: JsonObject, destinations: ReadonlySet<string>): JsonObject {
  const mounts = objectsAt(hostConfig, 'Mounts').filter(
    (mount) => !destinations.has(textAt(mount, 'Target')),
  );
  const binds = textsAt(hostConfig, 'Binds').filter((bind) => {
    const { source, destination } = parseBind(bind);
    return !destinations.has(destination === '' ? source : destination);
  });
  return { ...hostConfig, Mounts: mounts, Binds: binds };
}
