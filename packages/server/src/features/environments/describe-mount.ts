import { posix } from 'node:path';
import type { DescribedMount } from '@holdfast/docker';
import type { Mount, MountSource } from '@holdfast/protocol';

/**
 * A mount in the words of the catalog and the API.
 *
 * @param folder the environment's folder, where Compose told it
 */
export function describeMount(described: DescribedMount, folder: string | null): Mount {
  return {
    name: partName(described, folder),
    source: mountSource(described),
    mountPoints: described.points.map(({ component, path, readOnly }) => ({ component, path, readOnly })),
    included: described.included,
    reason: described.reason,
    ...(described.isGap === true ? { isGap: true } : {}),
  };
}

/**
 * The name of a mount's part: the same from one backup to the next, and no two of an environment alike. A volume's name
 * begins with a letter or digit and holds neither slash nor colon, so that the forms cannot meet.
 */
function partName({ id, source, points }: DescribedMount, folder: string | null): string {
  switch (source.kind) {
    case 'volume':
      return source.name;
    case 'anonymous': {
      // Its own name is another one each time that its container is made anew.
      const [first] = points;
      return first === undefined ? source.name : `${first.component}:${first.path}`;
    }
    case 'bind': {
      const relative = folder === null ? '..' : posix.relative(folder, source.path);
      const isOutside = relative === '..' || relative.startsWith('../');
      return isOutside ? source.path : `./${relative}`;
    }
    default:
      return id;
  }
}

function mountSource({ source }: DescribedMount): MountSource | null {
  switch (source.kind) {
    case 'volume':
      return {
        kind: 'volume',
        name: source.name,
        driver: source.driver,
        labels: { ...source.labels },
        options: { ...source.options },
      };
    case 'anonymous':
      return { kind: 'anonymous', name: source.name };
    case 'bind':
      return { kind: 'bind', path: source.path };
    default:
      return null;
  }
}
