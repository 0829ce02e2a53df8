import type { JsonObject } from '../engine-port/json-object.ts';
import type { ContainerModel, EnvironmentModel } from './environment-model.ts';
import { numberAt, without } from './json-access.ts';

/** What a container may use, in the engine's own units; 0 is no limit. */
export interface Resources {
  /** Billionths of a processor: 1.5 processors are 1,500,000,000. */
  readonly NanoCpus: number;
  /** Weight among those that want more than there is; 0 is the engine's 1024. */
  readonly CpuShares: number;
  /** Microseconds of each period. */
  readonly CpuQuota: number;
  readonly CpuPeriod: number;
  /** Bytes. */
  readonly Memory: number;
  /** Bytes of memory and swap together; -1 is no limit. */
  readonly MemorySwap: number;
  /** Bytes. */
  readonly MemoryReservation: number;
  readonly PidsLimit: number;
}

/**
 * - `backup`: as the model has them
 * - `parent`: as the component of the same name has them in another model; no limits where it has no such component
 * - `default`: no limits
 * - `minimum`: `minimumResources`, enough to start most apps and to look around in them
 */
export type ResourcesChoice =
  | { readonly from: 'backup' }
  | { readonly from: 'default' }
  | { readonly from: 'minimum' }
  | { readonly from: 'parent'; readonly parent: EnvironmentModel };

const unlimited: Resources = {
  NanoCpus: 0,
  CpuShares: 0,
  CpuQuota: 0,
  CpuPeriod: 0,
  Memory: 0,
  MemorySwap: 0,
  MemoryReservation: 0,
  PidsLimit: 0,
};

/** A quarter of a processor, 256 MiB with as much swap, 256 processes and threads. */
export const minimumResources: Resources = {
  ...unlimited,
  NanoCpus: 250_000_000,
  Memory: 256 * 2 ** 20,
  MemorySwap: 512 * 2 ** 20,
  PidsLimit: 256,
};

const names = [
  'NanoCpus',
  'CpuShares',
  'CpuQuota',
  'CpuPeriod',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'PidsLimit',
] as const satisfies readonly (keyof Resources)[];

export function resourcesOf({ hostConfig }: Pick<ContainerModel, 'hostConfig'>): Resources {
  const given = names.map((name): [string, number] => [name, numberAt(hostConfig, name)]);
  return { ...unlimited, ...Object.fromEntries(given) };
}

/** The same model with its containers' resources as chosen. */
export function withResources(model: EnvironmentModel, choice: ResourcesChoice): EnvironmentModel {
  if (choice.from === 'backup') return model;
  return {
    ...model,
    containers: model.containers.map((container) => ({
      ...container,
      hostConfig: withThese(container.hostConfig, resourcesFor(container, choice)),
    })),
  };
}

function resourcesFor(
  { component }: ContainerModel,
  choice: Exclude<ResourcesChoice, { readonly from: 'backup' }>,
): Resources {
  switch (choice.from) {
    case 'default':
      return unlimited;
    case 'minimum':
      return minimumResources;
    case 'parent': {
      const counterpart = choice.parent.containers.find((container) => container.component === component);
      return counterpart === undefined ? unlimited : resourcesOf(counterpart);
    }
  }
}

/** The engine refuses some of the older limits beside another amount of memory. */
function withThese(hostConfig: JsonObject, resources: Resources): JsonObject {
  return { ...without(hostConfig, 'KernelMemory', 'KernelMemoryTCP'), ...resources };
}
