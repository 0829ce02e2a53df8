import { HoldfastError } from '@holdfast/base';
import {
  type Container,
  dependentsFirst,
  discoverEnvironments,
  type EngineInventory,
  holdfastLabels,
  type MountedSources,
  writesTo,
} from '@holdfast/docker';

/** What a restore is about to write to. */
export interface TargetPaths extends MountedSources {
  readonly environmentName: string;
  /** False where nothing is written to that any container of the environment's own mounts. */
  readonly needsStandstill: boolean;
}

/**
 * Every container that may touch the targets, in an order in which they may be stopped: all of the environment's own,
 * dependents before what they depend on (none where it needs no standstill), then others that mount a target for writing.
 * @throws HoldfastError `environment-busy` when one of those others runs
 */
export function affectedContainers(inventory: EngineInventory, targets: TargetPaths): readonly Container[] {
  const ownIds = new Set(idsOf(inventory, targets.environmentName));
  const own = targets.needsStandstill ? inventory.containers.filter(({ id }) => ownIds.has(id)) : [];
  const others = inventory.containers.filter(
    (container) =>
      !ownIds.has(container.id) &&
      container.labels[holdfastLabels.internal] === undefined &&
      writesTo(container, targets),
  );
  const running = others.filter(({ state }) => state.running);
  if (running.length > 0) throw inUse(running.map(({ name }) => name));
  const vanishing = own.filter(({ state, autoRemove }) => state.running && autoRemove);
  if (vanishing.length > 0) throw wouldVanish(vanishing.map(({ name }) => name));
  return [...dependentsFirst(own), ...others];
}

function idsOf(inventory: EngineInventory, environmentName: string): readonly string[] {
  const environment = discoverEnvironments(inventory).find(({ name }) => name === environmentName);
  const instances = environment?.components.flatMap((component) => component.instances) ?? [];
  return [...instances, ...(environment?.oneOffs ?? [])].map(({ containerId }) => containerId);
}

function inUse(names: readonly string[]): HoldfastError {
  return new HoldfastError(
    'environment-busy',
    `Containers of others write to what is to be restored: ${names.join(', ')}.`,
    { hint: `Stop them first: docker stop ${names.join(' ')}.`, context: { containers: names } },
  );
}

function wouldVanish(names: readonly string[]): HoldfastError {
  return new HoldfastError(
    'environment-busy',
    `Containers that are removed when they stop are running: ${names.join(', ')}.`,
    {
      hint: 'Let them end first: they could not be started again after the restore.',
      context: { containers: names },
    },
  );
}
