import type { Abortable } from '@holdfast/base';
import type { ContainerCalls } from '../engine-port/docker-engine.ts';
import type { Container } from '../engine-port/engine-objects.ts';
import { isWithin } from './path-containment.ts';

/** What every program writes and nobody misses. */
const passing = [
  '/tmp',
  '/var/tmp',
  '/run',
  '/var/run',
  '/proc',
  '/sys',
  '/dev',
  '/var/cache',
  '/.dockerenv',
];
/** Docker itself writes them. */
const enginesOwn = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/etc/mtab'];

export interface WritesOutsideVolumes {
  /** Paths that the container added, changed or deleted in its own writable layer: lost when it is made anew. */
  readonly count: number;
  /** The first of them. */
  readonly samples: readonly string[];
  /** Counting stopped at the limit. */
  readonly isMore: boolean;
}

export interface WritesOutsideOptions extends Abortable {
  /** Default 10. */
  readonly maxSamples?: number;
  /** Default 1000. */
  readonly maxCount?: number;
}

/**
 * What a container keeps outside any mount, without folders that merely lead to it, temporary files and what Docker
 * writes. The engine walks the container's whole writable layer for this: costly, so ask when somebody looks.
 */
export async function writesOutsideVolumes(
  containers: Pick<ContainerCalls, 'changes'>,
  container: Pick<Container, 'id' | 'mounts'>,
  options: WritesOutsideOptions = {},
): Promise<WritesOutsideVolumes> {
  const { maxSamples = 10, maxCount = 1000, signal } = options;
  const ignored = [...passing, ...enginesOwn, ...container.mounts.map(({ destination }) => destination)];
  const samples: string[] = [];
  let count = 0;
  let held: string | undefined;
  const take = (path: string) => {
    count++;
    if (samples.length < maxSamples) samples.push(path);
  };
  // Parents come before what they hold: a path counts once it is clear that it is no parent of the next.
  for await (const { path } of containers.changes(container.id, { signal })) {
    if (held !== undefined && !isWithin(path, held)) take(held);
    if (count >= maxCount) return { count, samples, isMore: true };
    held = ignored.some((folder) => isWithin(path, folder) || isWithin(folder, path)) ? undefined : path;
  }
  if (held !== undefined) take(held);
  return { count, samples, isMore: false };
}
