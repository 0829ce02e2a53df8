import { type Abortable, HoldfastError } from '@holdfast/base';
import { type DockerEngine, type HostView, type PathProof, proveBinds, proveVolumes } from '@holdfast/docker';

/** What a mover is to work on. */
export type Place =
  | { readonly kind: 'volume'; readonly name: string }
  /** With every link followed. */
  | { readonly kind: 'bind'; readonly path: string };

/** A place that a part is read from or written to. */
export interface PartPlace {
  readonly partName: string;
  readonly place: Place;
}

export interface ProvePathsOptions extends Abortable {
  readonly host: HostView;
  /** Images that a probe container can be made of, the best first. */
  readonly images: readonly string[];
}

/**
 * Finds the path of each part on this machine, and proves that it is what a container sees there.
 * @throws HoldfastError `mount-needs-container` naming the first part for which that does not hold
 */
export async function provePaths(
  docker: DockerEngine,
  parts: readonly PartPlace[],
  options: ProvePathsOptions,
): Promise<ReadonlyMap<string, string>> {
  const volumes = parts.flatMap(({ place }) => (place.kind === 'volume' ? [place.name] : []));
  const binds = parts.flatMap(({ place }) => (place.kind === 'bind' ? [place.path] : []));
  const ofVolumes = await proveVolumes(docker, { ...options, volumes });
  const ofBinds = await proveBinds(docker, { ...options, paths: binds });
  const paths = new Map<string, string>();
  for (const { partName, place } of parts) {
    const proof = place.kind === 'bind' ? ofBinds.get(place.path) : ofVolumes.get(place.name);
    if (proof?.proven !== true) throw needsContainer(partName, proof);
    paths.set(partName, proof.path);
  }
  return paths;
}

function needsContainer(partName: string, proof: PathProof | undefined): HoldfastError {
  const reason = proof?.proven === false ? proof.reason : 'it was not looked at';
  return new HoldfastError('mount-needs-container', `The mount ${partName} cannot be reached: ${reason}.`, {
    hint: `Leave it out with the label holdfast.exclude: "${partName}" on the service that mounts it, or choose others with --component.`,
    context: { mount: partName, reason },
  });
}
