import { stat } from 'node:fs/promises';
import { type Abortable, isHoldfastError, systemErrorCode } from '@holdfast/base';
import type { DockerEngine, NewMount } from '../engine-port/docker-engine.ts';
import type { HostView } from './host-view.ts';
import { type PathProof, unproven } from './path-proof.ts';
import { createProbe, probeFolder, removeLeftProbes } from './probe-container.ts';
import { chooseProbeImage } from './probe-image.ts';

/** Somebody may write to the folder between the two looks. */
const looks = 3;

export interface ProveBindsOptions extends Abortable {
  /** Absolute paths: sources of bind mounts. */
  readonly paths: readonly string[];
  /** Images to make the probe container from, the best first. */
  readonly images: readonly string[];
  readonly host: HostView;
}

type ProbeEngine = Pick<DockerEngine, 'containers' | 'volumes' | 'images'>;

/**
 * Finds out for each path whether what is there for this process is what a container gets that binds it: the engine is
 * asked for type, size and modification time to the nanosecond, inside a throw-away container that is created but never
 * started. Writes nothing at the paths.
 */
export async function proveBinds(
  docker: ProbeEngine,
  options: ProveBindsOptions,
): Promise<ReadonlyMap<string, PathProof>> {
  const proofs = new Map<string, PathProof>();
  const { host } = options;
  const candidates: string[] = [];
  for (const path of new Set(options.paths)) {
    if (!host.isShared) {
      proofs.set(path, unproven(`${host.reason}, so a mover container is needed`));
      continue;
    }
    const objection = await objectionTo(path);
    if (objection === undefined) candidates.push(path);
    else proofs.set(path, unproven(objection, { containerHelps: false }));
  }
  for (const [path, proof] of await compareInside(docker, candidates, options)) proofs.set(path, proof);
  return proofs;
}

async function objectionTo(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() || found.isFile() ? undefined : `${path} is neither a folder nor a file`;
  } catch (error) {
    return `${path} cannot be found on this machine (${systemErrorCode(error) ?? 'unknown'})`;
  }
}

async function compareInside(
  docker: ProbeEngine,
  paths: readonly string[],
  { images, signal }: ProveBindsOptions,
): Promise<[string, PathProof][]> {
  if (paths.length === 0) return [];
  await removeLeftProbes(docker, { signal });
  const image = await chooseProbeImage(docker.images, images, { signal });
  const refuseAll = (reason: string) => paths.map((path): [string, PathProof] => [path, unproven(reason)]);
  if (image === undefined) return refuseAll('the Docker Engine has no image to make a probe container from');
  const mounts = paths.map(
    (source, index): NewMount => ({
      type: 'bind',
      source,
      destination: `${probeFolder}/${index}`,
      readOnly: true,
    }),
  );
  try {
    await using probe = await createProbe(docker.containers, { image, mounts, signal });
    const proofs: [string, PathProof][] = [];
    for (const [index, path] of paths.entries()) {
      const inside = `${probeFolder}/${index}`;
      const isSame = await looksTheSame(docker, { path, container: probe.containerId, inside, signal });
      const reason = `${path} on this machine is not what a container gets there`;
      proofs.push([path, isSame ? { proven: true, path } : unproven(reason)]);
    }
    return proofs;
  } catch (error) {
    // A path that the engine's machine does not have.
    if (isHoldfastError(error, 'docker-refused')) return refuseAll(error.message);
    throw error;
  }
}

interface Comparison extends Abortable {
  readonly path: string;
  readonly container: string;
  readonly inside: string;
}

async function looksTheSame(docker: ProbeEngine, comparison: Comparison): Promise<boolean> {
  const { path, container, inside, signal } = comparison;
  for (let look = 0; look < looks; look++) {
    const theirs = await docker.containers.stat(container, inside, { signal });
    const ours = await stat(path, { bigint: true });
    if (theirs === undefined || theirs.isFolder !== ours.isDirectory()) return false;
    if (theirs.mtimeNs === ours.mtimeNs && BigInt(theirs.sizeBytes) === ours.size) return true;
  }
  return false;
}
