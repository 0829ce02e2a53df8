import { readFile } from 'node:fs/promises';
import { hostname, release } from 'node:os';
import type { Abortable } from '@holdfast/base';
import type { DockerEngine } from '../engine-port/docker-engine.ts';

/** Whether this process sees the files of the engine's machine under the same paths. */
export type HostView = { readonly isShared: true } | { readonly isShared: false; readonly reason: string };

/**
 * A first look, to refuse early and in clear words: this process is in no container, and the engine's machine is this
 * one. It proves nothing by itself: `proveVolumes` and `proveBinds` do.
 */
export async function viewHost(
  docker: Pick<DockerEngine, 'info'>,
  options: Abortable = {},
): Promise<HostView> {
  if (isContainerMountTable(await readFile('/proc/self/mountinfo', 'utf8'))) {
    return { isShared: false, reason: 'Holdfast runs in a container' };
  }
  const info = await docker.info(options);
  if (info.hostName !== hostname() || info.kernelVersion !== release()) {
    return { isShared: false, reason: `the Docker Engine runs on another machine, ${info.hostName}` };
  }
  return { isShared: true };
}

/**
 * Docker, Podman and Kubernetes put files of their own over these two in every container. Unlike marker files, which
 * stay behind in a machine that was made from an image, a mount is what is now. Takes `/proc/self/mountinfo`.
 */
export function isContainerMountTable(mountInfo: string): boolean {
  return mountInfo.split('\n').some((line) => {
    const [, , , root = '', mountPoint = ''] = line.split(' ');
    if (mountPoint !== '/etc/hostname' && mountPoint !== '/etc/hosts') return false;
    return /\/(containers|overlay-containers|pods)\/[0-9a-f-]{12,}\//.test(root);
  });
}
