import type { Mount } from './http/environment-routes.ts';
import type { MountPoint, PartSource } from './mount.ts';

/** A part, or a mount, by what it is of. */
interface Placed {
  readonly source: PartSource | null;
  readonly mountPoints: readonly MountPoint[];
}

export interface MountsOfTarget {
  /** All parts of the backup: where two of them fit one mount, the better one gets it. */
  readonly parts: readonly Placed[];
  /** Of the environment that is restored. */
  readonly mounts: readonly Mount[];
  /** Whether that is another environment than the one that the backup is of. */
  readonly isElsewhere: boolean;
}

/** On a volume: its name within the Compose file, the same in every project of that file. */
const volumeKeyLabel = 'com.docker.compose.volume';

/**
 * The mount that a part of files goes to; undefined where there is none. The part only says what to look for.
 * - in its own environment, a volume is known by its name; an anonymous one, or a bind, by who mounts it where
 * - in another one, all are known by who mounts them where; named volumes also by their key in the Compose file
 * - what nobody is known to mount (it was adopted) goes to the volume of its name, or to what is bound from its very path
 */
export function mountForPart(
  part: Placed,
  { parts, mounts, isElsewhere }: MountsOfTarget,
): Mount | undefined {
  if (part.mountPoints.length === 0) return mounts.find((mount) => isSameSource(part.source, mount.source));
  if (!isElsewhere) return mounts.find((mount) => isSame(part, mount));
  const mountedAlike = mounts.find((mount) => isAlike(part, mount));
  if (mountedAlike !== undefined) return mountedAlike;
  const key = volumeKeyOf(part.source);
  if (key === undefined) return undefined;
  return mounts.find(
    (mount) => volumeKeyOf(mount.source) === key && !parts.some((other) => isAlike(other, mount)),
  );
}

/** Undefined for what is no volume of a Compose file. */
export function volumeKeyOf(source: PartSource | null): string | undefined {
  return source?.kind === 'volume' ? source.labels[volumeKeyLabel] : undefined;
}

function isSame({ source, mountPoints }: Placed, mount: Mount): boolean {
  if (source === null || mount.source?.kind !== source.kind) return false;
  if (mount.source.kind === 'volume' && source.kind === 'volume') return mount.source.name === source.name;
  return isMountedAlike(mountPoints, mount.mountPoints);
}

function isSameSource(one: PartSource | null, other: PartSource | null): boolean {
  if (one?.kind === 'volume' && other?.kind === 'volume') return one.name === other.name;
  return one?.kind === 'bind' && other?.kind === 'bind' && one.path === other.path;
}

/** A volume is a directory whatever its name is; what is bound may be a file. */
function isAlike({ source, mountPoints }: Placed, mount: Mount): boolean {
  const kinds = [source?.kind, mount.source?.kind].map((kind) => (kind === 'anonymous' ? 'volume' : kind));
  if (kinds[0] !== kinds[1] || !(kinds[0] === 'volume' || kinds[0] === 'bind')) return false;
  return isMountedAlike(mountPoints, mount.mountPoints);
}

function isMountedAlike(ones: readonly MountPoint[], others: readonly MountPoint[]): boolean {
  return ones.some(({ component, path }) =>
    others.some((other) => other.component === component && other.path === path),
  );
}
