import type { Container, ContainerMount, Volume } from '../engine-port/engine-objects.ts';
import type { Mount, MountPoint, MountSource, VolumeSource } from './environment.ts';
import { anonymousVolumeLabel, composeLabels } from './labels.ts';

export interface MountFacts {
  /** The environment's containers with the names of their components. */
  readonly members: readonly { readonly container: Container; readonly component: string }[];
  /** Volumes of the environment's Compose project, mounted or not. */
  readonly ownVolumes: readonly Volume[];
  /** All of the engine's. */
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

interface Found {
  readonly source: MountSource;
  readonly points: MountPoint[];
}

/** One mount per source, sorted by its id. */
export function collectMounts(facts: MountFacts): Mount[] {
  const volumes = new Map(facts.volumes.map((volume) => [volume.name, volume]));
  const found = new Map<string, Found>();
  for (const { container, component } of facts.members) {
    for (const mount of container.mounts) {
      const id = mountId(mount, component);
      const entry: Found = found.get(id) ?? { source: toSource(mount, volumes), points: [] };
      addPoint(entry.points, { component, path: mount.destination, readOnly: mount.readOnly });
      found.set(id, entry);
    }
  }
  for (const volume of facts.ownVolumes) {
    const id = `volume:${volume.name}`;
    if (!found.has(id)) found.set(id, { source: toVolumeSource(volume), points: [] });
  }
  const members = new Set(facts.members.map(({ container }) => container.id));
  const outsiders = facts.containers.filter(({ id }) => !members.has(id));
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { source, points }]) => ({ id, source, points, otherUsers: usersOf(id, outsiders) }));
}

function mountId(mount: ContainerMount, component: string): string {
  if (mount.volumeName !== null) return `volume:${mount.volumeName}`;
  if (mount.type === 'bind') return `bind:${mount.source}`;
  return `${mount.type}:${component}:${mount.destination}`;
}

/** Several instances of a component mount a source at the same place. */
function addPoint(points: MountPoint[], point: MountPoint): void {
  const isKnown = points.some(
    ({ component, path, readOnly }) =>
      component === point.component && path === point.path && readOnly === point.readOnly,
  );
  if (!isKnown) points.push(point);
}

function usersOf(id: string, containers: readonly Container[]): Mount['otherUsers'] {
  return containers
    .filter(({ mounts }) => mounts.some((mount) => mountId(mount, '') === id))
    .map((container) => ({ containerId: container.id, name: container.name }));
}

function toSource(mount: ContainerMount, volumes: ReadonlyMap<string, Volume>): MountSource {
  switch (mount.type) {
    case 'volume': {
      const name = mount.volumeName ?? '';
      return toVolumeSource(
        volumes.get(name) ?? { name, driver: '', mountpoint: mount.source, labels: {}, options: {} },
      );
    }
    case 'bind':
      return { kind: 'bind', path: mount.source };
    case 'tmpfs':
      return { kind: 'tmpfs' };
    default:
      return { kind: 'other', type: mount.type };
  }
}

function toVolumeSource(volume: Volume): VolumeSource {
  return { kind: isAnonymous(volume) ? 'anonymous' : 'volume', ...volume };
}

/** Engines before 23 do not mark them; the name that the engine makes up is 64 hexadecimal digits. */
export function isAnonymous({ name, labels }: Pick<Volume, 'name' | 'labels'>): boolean {
  if (labels[composeLabels.volume] !== undefined) return false;
  return labels[anonymousVolumeLabel] !== undefined || /^[0-9a-f]{64}$/.test(name);
}
