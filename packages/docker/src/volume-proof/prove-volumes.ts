import { lstat } from 'node:fs/promises';
import { type Abortable, isHoldfastError } from '@holdfast/base';
import type { DockerEngine, NewMount } from '../engine-port/docker-engine.ts';
import type { Volume } from '../engine-port/engine-objects.ts';
import type { HostView } from './host-view.ts';
import { writeNonce } from './nonce-file.ts';
import { type PathProof, unproven } from './path-proof.ts';
import { createProbe, type ProbeContainer, probeFolder, removeLeftProbes } from './probe-container.ts';
import { chooseProbeImage } from './probe-image.ts';

export interface ProveVolumesOptions extends Abortable {
  /** Names of volumes. */
  readonly volumes: readonly string[];
  /** Images to make the probe container from, the best first: those of the components that mount the volumes. */
  readonly images: readonly string[];
  readonly host: HostView;
}

type ProbeEngine = Pick<DockerEngine, 'containers' | 'volumes' | 'images'>;

/**
 * Finds out for each volume whether its mountpoint, as this process sees it, is the volume as a container sees it:
 * an empty file of a random name is put at the mountpoint, and has to be seen inside a throw-away container that mounts
 * the volumes and is created but never started. Only driver `local` without options qualifies: any other volume's
 * mountpoint is empty while nothing uses it.
 *
 * Leaves nothing behind, also when it fails or is aborted; what a killed run left is removed by the next. The folder's
 * modification time is put back, its change time is not (nothing can).
 */
export async function proveVolumes(
  docker: ProbeEngine,
  options: ProveVolumesOptions,
): Promise<ReadonlyMap<string, PathProof>> {
  const { volumes, host, signal } = options;
  const proofs = new Map<string, PathProof>();
  if (!host.isShared) {
    for (const name of volumes) proofs.set(name, unproven(`${host.reason}, so a mover container is needed`));
    return proofs;
  }
  const candidates: Volume[] = [];
  for (const name of new Set(volumes)) {
    const volume = await inspectVolume(docker, name, { signal });
    if (volume === undefined) {
      proofs.set(name, unproven('there is no such volume', { containerHelps: false }));
      continue;
    }
    const objection = await objectionTo(volume);
    if (objection === undefined) candidates.push(volume);
    else proofs.set(name, unproven(objection));
  }
  for (const [name, proof] of await lookInside(docker, candidates, options)) proofs.set(name, proof);
  return proofs;
}

async function inspectVolume(
  docker: ProbeEngine,
  name: string,
  options: Abortable,
): Promise<Volume | undefined> {
  try {
    return await docker.volumes.inspect(name, options);
  } catch (error) {
    if (isHoldfastError(error, 'volume-unknown')) return undefined;
    throw error;
  }
}

async function objectionTo({ driver, options, mountpoint }: Volume): Promise<string | undefined> {
  if (driver !== 'local') return `the volume's driver is ${driver}, so a mover container is needed`;
  const names = Object.keys(options);
  if (names.length > 0) return `the volume has options (${names.join(', ')}), so a mover container is needed`;
  try {
    if ((await lstat(mountpoint)).isDirectory()) return undefined;
  } catch {
    // Said below.
  }
  return `its folder ${mountpoint} does not exist on this machine, so a mover container is needed`;
}

async function lookInside(
  docker: ProbeEngine,
  volumes: readonly Volume[],
  { images, signal }: ProveVolumesOptions,
): Promise<[string, PathProof][]> {
  if (volumes.length === 0) return [];
  await removeLeftProbes(docker, { signal });
  const image = await chooseProbeImage(docker.images, images, { signal });
  if (image === undefined) {
    const reason = 'the Docker Engine has no image to make a probe container from';
    return volumes.map(({ name }) => [name, unproven(reason)]);
  }
  const mounts = volumes.map(
    ({ name }, index): NewMount => ({
      type: 'volume',
      volumeName: name,
      destination: `${probeFolder}/${index}`,
      readOnly: true,
      copyImageContent: false,
    }),
  );
  await using probe = await createProbe(docker.containers, { image, mounts, signal });
  const proofs: [string, PathProof][] = [];
  for (const [index, volume] of volumes.entries()) {
    const folder = `${probeFolder}/${index}`;
    proofs.push([volume.name, await lookForNonce(docker, volume, { probe, folder, signal })]);
  }
  return proofs;
}

interface Look extends Abortable {
  readonly probe: ProbeContainer;
  /** Where the probe mounts the volume. */
  readonly folder: string;
}

async function lookForNonce(
  { containers }: ProbeEngine,
  { mountpoint }: Volume,
  { probe, folder, signal }: Look,
): Promise<PathProof> {
  const outcome = await writeNonce(mountpoint);
  if (!outcome.written) return unproven(outcome.reason);
  await using nonce = outcome.nonce;
  const file = await containers.readFile(probe.containerId, `${folder}/${nonce.name}`, { signal });
  if (file !== undefined) return { proven: true, path: mountpoint };
  return unproven(`${mountpoint} on this machine is not what a container sees of the volume`);
}
