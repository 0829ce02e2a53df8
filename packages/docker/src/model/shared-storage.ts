import type { EngineInventory } from '../discovery/discover-environments.ts';
import type { Container, Volume } from '../engine-port/engine-objects.ts';
import { isWithin } from '../mounts/path-containment.ts';
import { boundPath, cleanPath, declaredMounts, isMachinesOwn } from './declared-mounts.ts';
import type { EnvironmentModel } from './environment-model.ts';

export interface SharedStorage {
  /** The model's own. */
  readonly container: string;
  /** The one that is there. */
  readonly otherContainer: string;
  /** The volume's name or the path, as the model has it. */
  readonly source: string;
}

interface Storage {
  readonly source: string;
  readonly volume: string | undefined;
  readonly path: string | undefined;
  readonly isReadOnly: boolean;
}

/**
 * The storage that containers made from the model would share with those that an engine has, and that either may write to.
 * Containers that have the names of the model's own do not count. Links within paths are not followed.
 */
export function sharedWith(model: EnvironmentModel, inventory: EngineInventory): readonly SharedStorage[] {
  const own = new Set(model.containers.map(({ name }) => name));
  const volumes = new Map(model.volumes.map((volume) => [volume.name, volume]));
  const others = inventory.containers
    .filter(({ name }) => !own.has(name))
    .map(({ name, mounts }) => ({ name, storages: storagesOf(mounts, inventory.volumes) }));
  return model.containers.flatMap((container) =>
    declaredMounts(container).flatMap(({ kind, source, isReadOnly }) => {
      const volume = kind === 'volume' ? source : undefined;
      const model = volume === undefined ? undefined : volumes.get(volume);
      const path = kind === 'bind' ? source : model && boundPath(model);
      const storage: Storage = { source, volume, path, isReadOnly };
      return others
        .filter(({ storages }) => storages.some((other) => isShared(storage, other)))
        .map(({ name }) => ({ container: container.name, otherContainer: name, source }));
    }),
  );
}

function storagesOf(mounts: Container['mounts'], volumes: readonly Volume[]): Storage[] {
  return mounts
    .filter(({ type }) => type === 'volume' || type === 'bind')
    .map(({ volumeName, source, readOnly }) => {
      const volume = volumes.find(({ name }) => name === volumeName);
      const path = (volume && boundPath(volume)) ?? (source === '' ? undefined : cleanPath(source));
      return { source, volume: volumeName ?? undefined, path, isReadOnly: readOnly };
    });
}

function isShared(a: Storage, b: Storage): boolean {
  if (a.isReadOnly && b.isReadOnly) return false;
  if (a.volume !== undefined && a.volume === b.volume) return true;
  if (a.path !== undefined && isMachinesOwn({ source: a.path, isReadOnly: a.isReadOnly })) return false;
  if (a.path === undefined || b.path === undefined) return false;
  return isWithin(a.path, b.path) || isWithin(b.path, a.path);
}
