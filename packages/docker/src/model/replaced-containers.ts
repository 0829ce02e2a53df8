import { type Abortable, HoldfastError, isHoldfastError } from '@holdfast/base';
import { holdfastLabels } from '../discovery/labels.ts';
import { parseSetAsideName, toSetAsideName } from '../discovery/set-aside-name.ts';
import type { DockerEngine } from '../engine-port/docker-engine.ts';

type Docker = Pick<DockerEngine, 'containers'>;

export interface SettleOptions extends Abortable {
  /** What was given to `makeEnvironment`. */
  readonly mark: string;
  /** `back`: what was set aside takes its place again. `forward`: what was made stays. */
  readonly direction: 'back' | 'forward';
}

/**
 * Ends the replacing of containers that was begun under a mark, whoever began it and wherever it was cut off. May be called
 * any number of times, and goes on where an earlier call failed.
 *
 * Back: containers made under the mark are removed, running or not, and the old ones get their names back. Forward: the old
 * ones are removed; one that nothing has replaced gets its name back. Anonymous volumes are never removed.
 */
export async function settleReplaced(
  docker: Docker,
  { mark, direction, signal }: SettleOptions,
): Promise<void> {
  const containers = await docker.containers.list({ signal });
  const made = containers.filter(({ labels }) => labels[holdfastLabels.remade] === mark);
  const setAside = containers.flatMap(({ id, name }) => {
    const parsed = parseSetAsideName(name);
    return parsed?.mark === mark ? [{ id, name: parsed.name }] : [];
  });
  if (direction === 'back') {
    for (const { id } of made) await removeKeepingVolumes(docker, id, { signal });
  }
  for (const { id, name } of setAside) {
    const isReplaced = direction === 'forward' && made.some((container) => container.name === name);
    if (isReplaced) await removeKeepingVolumes(docker, id, { signal });
    else await docker.containers.rename(id, name, { signal });
  }
}

/** Fails with `usage-invalid` for a mark that no container's name can carry. */
export function refuseUnusableMark(mark: string): void {
  if (/^[\w-]{1,64}$/.test(mark)) return;
  throw new HoldfastError('usage-invalid', `${mark} cannot be part of a container's name.`, {
    hint: 'Up to 64 letters, digits, hyphens and underscores can.',
  });
}

/** Frees a container's name for the one that takes its place. */
export async function setAside(
  docker: Docker,
  container: { readonly id: string; readonly name: string },
  { mark, signal }: Abortable & { readonly mark: string },
): Promise<void> {
  await docker.containers.rename(container.id, toSetAsideName({ name: container.name, mark }), { signal });
}

async function removeKeepingVolumes(docker: Docker, container: string, { signal }: Abortable): Promise<void> {
  try {
    await docker.containers.remove(container, { signal, keepsAnonymousVolumes: true });
  } catch (error) {
    if (!isHoldfastError(error, 'container-unknown')) throw error;
  }
}
