import type { Abortable } from '@holdfast/base';
import {
  type DockerEngine,
  discoverEnvironments,
  type FreezeTarget,
  holdfastLabels,
  type MountedSources,
  readInventory,
  writesTo,
} from '@holdfast/docker';

export interface WatchedContainer extends FreezeTarget {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly publishedPorts: readonly number[];
  /** It runs and is not paused. */
  readonly goesOn: boolean;
  /** `holdfast gate` runs in it. */
  readonly isGate: boolean;
  /** What its labels say about holding requests, if both are there. */
  readonly holding: { readonly hold: string; readonly release: string } | undefined;
  /** It holds requests, so that it is never paused: a gate, or a proxy that writes to nothing that is captured. */
  readonly isSpared: boolean;
}

/** A container whose labels say how it holds requests. */
export interface HoldingContainer extends Pick<WatchedContainer, 'containerId' | 'name' | 'addresses'> {
  readonly hold: string;
  readonly release: string;
}

/** Those that go on now and are to hold requests by their own commands. */
export function holdingContainers(watched: readonly WatchedContainer[]): readonly HoldingContainer[] {
  return watched.flatMap(({ containerId, name, addresses, goesOn, holding }) =>
    goesOn && holding !== undefined ? [{ containerId, name, addresses, ...holding }] : [],
  );
}

export interface WatchedEnvironment {
  readonly name: string;
  /** Of the parts that are captured. */
  readonly sources: MountedSources;
}

/**
 * Every container that may write to what is captured, as it is now: all of the environment, one-off ones too, and others
 * that mount a part of it for writing.
 */
export async function watchContainers(
  docker: Pick<DockerEngine, 'containers' | 'volumes'>,
  { name, sources }: WatchedEnvironment,
  { signal }: Abortable,
): Promise<readonly WatchedContainer[]> {
  const inventory = await readInventory(docker, { signal });
  const environment = discoverEnvironments(inventory).find((found) => found.name === name);
  const instances = environment?.components.flatMap((component) => component.instances) ?? [];
  const ownIds = new Set(
    [...instances, ...(environment?.oneOffs ?? [])].map(({ containerId }) => containerId),
  );
  return inventory.containers
    .filter(
      (container) =>
        container.labels[holdfastLabels.internal] === undefined &&
        (ownIds.has(container.id) || writesTo(container, sources)),
    )
    .map((container) => {
      const { id, name: containerName, addresses, publishedPorts, labels, state } = container;
      const isSteered = isGate(labels[holdfastLabels.gate]);
      const holding = isSteered ? undefined : holdingOf(labels);
      return {
        containerId: id,
        name: containerName,
        addresses,
        publishedPorts,
        startedAt: state.startedAt,
        goesOn: state.status === 'running',
        isGate: isSteered,
        holding,
        isSpared: isSteered || (holding !== undefined && !writesTo(container, sources)),
      };
    });
}

function holdingOf(labels: Readonly<Record<string, string>>): WatchedContainer['holding'] {
  const hold = labels[holdfastLabels.hold]?.trim() ?? '';
  const release = labels[holdfastLabels.release]?.trim() ?? '';
  return hold === '' || release === '' ? undefined : { hold, release };
}

function isGate(label: string | undefined): boolean {
  return label !== undefined && label.trim().toLowerCase() !== 'false';
}

/** The engine's start time of a container that was never started. */
const neverStarted = '0001-01-01T00:00:00Z';

/**
 * Names of containers that ran while the others were frozen: what they wrote is not of the same moment.
 * @param before as they were when those that ran were about to be paused
 * @param after as they are when the others go on again, without those
 */
export function startedMeanwhile(
  before: readonly WatchedContainer[],
  after: readonly WatchedContainer[],
): readonly string[] {
  const starts = new Map(before.map(({ containerId, startedAt }) => [containerId, startedAt]));
  return after
    .filter(
      ({ containerId, startedAt, goesOn }) =>
        goesOn || startedAt !== (starts.get(containerId) ?? neverStarted),
    )
    .map(({ name }) => name);
}
