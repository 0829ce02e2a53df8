import { type Abortable, HoldfastError } from '@holdfast/base';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import type { FreezeTarget } from './freeze-target.ts';

/** What makes a paused container write again, also for a moment. */
const actions = ['unpause', 'start', 'restart', 'die', 'destroy'];

/** Sees what `verifyFrozen` cannot: a target that went on and was paused again. */
export interface ThawWatch extends AsyncDisposable {
  /** Names of targets to which something happened so far. @throws HoldfastError when the engine no longer tells */
  seen(): readonly string[];
}

/** To be opened once the targets are paused. @throws HoldfastError `docker-unreachable` */
export async function watchThaws(
  docker: Pick<DockerEngine, 'openEvents'>,
  targets: readonly FreezeTarget[],
  { signal }: Abortable = {},
): Promise<ThawWatch> {
  const ids = new Set(targets.map(({ containerId }) => containerId));
  const names = new Set<string>();
  let failure: unknown;
  const closing = new AbortController();
  const stream = await docker.openEvents({
    types: ['container'],
    actions,
    signal: signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]),
  });
  const following = (async () => {
    for await (const { id, attributes } of stream) if (ids.has(id)) names.add(attributes.name ?? id);
  })().catch((error: unknown) => {
    failure = error;
  });
  return {
    seen: () => {
      if (failure === undefined) return [...names];
      throw failure instanceof HoldfastError ? failure : new HoldfastError('internal', String(failure));
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await following;
    },
  };
}
