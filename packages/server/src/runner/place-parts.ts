import { join } from 'node:path';
import { type Abortable, HoldfastError } from '@holdfast/base';
import {
  type DockerEngine,
  type HostView,
  type MountedSources,
  type NewMount,
  type PathProof,
  proveBinds,
  proveVolumes,
  type Volume,
} from '@holdfast/docker';
import type { ServerPlace } from './server-place.ts';
import type { MoverMounts } from './start-mover.ts';

/** What a mover is to work on. */
export type Place =
  | { readonly kind: 'volume'; readonly name: string }
  /** `path` has every link followed. With a name, only what has that name in the folder is meant, which may be missing. */
  | { readonly kind: 'bind'; readonly path: string; readonly nameInside?: string };

/** A place that a part is read from or written to. */
export interface PartPlace {
  readonly partName: string;
  readonly place: Place;
  /**
   * Of what can be done without: where there is no way to it, `paths` has none. Nobody is to stand still for it either, so
   * that `sources` never has it.
   */
  readonly isOptional?: true;
}

export interface PlacePartsOptions extends Abortable {
  readonly host: HostView;
  readonly serverPlace: ServerPlace;
  /** Images that a probe container can be made of, the best first. */
  readonly images: readonly string[];
  /** Whether the mover may only read. */
  readonly readOnly: boolean;
}

/** Where a mover finds the parts, and how it gets there. */
export interface PlacedParts {
  /** Of each part, by its name. */
  readonly paths: ReadonlyMap<string, string>;
  readonly mounts: MoverMounts;
  /** The same places as containers mount them: to tell who else writes there. */
  readonly sources: MountedSources;
}

/** Where a mover container has its parts: a path that no image has. */
const partsFolder = '/holdfast/parts';

/**
 * Finds a way to each part. A child process is the way where every path of this machine is proven to be what a container
 * sees there; for all else a mover container mounts the parts.
 * @throws HoldfastError `mount-needs-container` where there is no way to a part, naming it and why
 */
export async function placeParts(
  docker: DockerEngine,
  parts: readonly PartPlace[],
  options: PlacePartsOptions,
): Promise<PlacedParts> {
  if (options.serverPlace.isInContainer) {
    if (await options.serverPlace.canShareWith(docker, options))
      return await placeInContainer(docker, parts, options);
    throw otherEngine(docker);
  }
  const volumes = parts.flatMap(({ place }) => (place.kind === 'volume' ? [place.name] : []));
  const sourcePaths: string[] = [];
  const binds = parts.flatMap(({ place }) => (place.kind === 'bind' ? [place.path] : []));
  const ofVolumes = await proveVolumes(docker, { ...options, volumes });
  const ofBinds = await proveBinds(docker, { ...options, paths: binds });
  const paths = new Map<string, string>();
  for (const { partName, place, isOptional } of parts) {
    const proof = place.kind === 'bind' ? ofBinds.get(place.path) : ofVolumes.get(place.name);
    if (proof?.proven === true) {
      const path = within(place, proof.path);
      paths.set(partName, path);
      if (isOptional !== true) sourcePaths.push(path);
      continue;
    }
    // Of another machine, a container would not have the server's files.
    const mayMount = proof?.containerHelps === true && options.host.isShared;
    if (!mayMount || (await options.serverPlace.image(docker)) === undefined) {
      if (isOptional === true) continue;
      throw needsContainer(partName, proof);
    }
    if (!(await options.serverPlace.canShareWith(docker, options))) throw otherEngine(docker);
    return await placeInContainer(docker, parts, options);
  }
  return { paths, mounts: null, sources: { volumes: new Set(volumes), paths: sourcePaths } };
}

async function placeInContainer(
  docker: DockerEngine,
  parts: readonly PartPlace[],
  { readOnly, signal }: PlacePartsOptions,
): Promise<PlacedParts> {
  const paths = new Map<string, string>();
  const mounts: NewMount[] = [];
  const volumes = new Set<string>();
  const sourcePaths: string[] = [];
  for (const [index, { partName, place, isOptional }] of parts.entries()) {
    const destination = `${partsFolder}/${index}`;
    paths.set(partName, within(place, destination));
    if (place.kind === 'bind') {
      mounts.push({ type: 'bind', source: place.path, destination, readOnly });
      if (isOptional !== true) sourcePaths.push(within(place, place.path));
      continue;
    }
    // Looked at first, for the engine makes a volume that is not there.
    const volume = await docker.volumes.inspect(place.name, { signal });
    const { name: volumeName } = place;
    mounts.push({ type: 'volume', volumeName, destination, readOnly, copyImageContent: false });
    volumes.add(volumeName);
    sourcePaths.push(...pathsOfVolume(volume));
  }
  return { paths, mounts: { docker, mounts }, sources: { volumes, paths: sourcePaths } };
}

function within(place: Place, path: string): string {
  return place.kind === 'bind' && place.nameInside !== undefined ? join(path, place.nameInside) : path;
}

/** Where else a container can get at the files of a volume. */
function pathsOfVolume({ driver, mountpoint, options: { device = '' } }: Volume): string[] {
  const isBound = driver === 'local' && device.startsWith('/');
  return [mountpoint, ...(isBound ? [device] : [])].filter((path) => path !== '');
}

function otherEngine({ host }: DockerEngine): HoldfastError {
  return new HoldfastError(
    'mount-needs-container',
    `Containers of the Docker Engine at ${host} do not see the files of this server.`,
    {
      hint: "They would have to: the server has its data on another machine, or in a container. Run a server on that engine's own machine, outside of a container.",
      context: { host },
    },
  );
}

function needsContainer(partName: string, proof: PathProof | undefined): HoldfastError {
  const reason = proof?.proven === false ? proof.reason : 'it was not looked at';
  return new HoldfastError('mount-needs-container', `The mount ${partName} cannot be reached: ${reason}.`, {
    hint: `Where a mover container is needed, build its image with script/image. Or leave the mount out with the label holdfast.exclude: "${partName}" on the service that mounts it, or choose others with --component.`,
    context: { mount: partName, reason },
  });
}
