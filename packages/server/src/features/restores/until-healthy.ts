import { type Abortable, isHoldfastError, sleep } from '@holdfast/base';
import type { ContainerCalls } from '@holdfast/docker';

/** How long a container that was just started may take until its health check says yes. */
export const healthyWithinMs = 3 * 60_000;
const pollMs = 500;

export interface StartedContainer {
  readonly id: string;
  readonly name: string;
}

/**
 * Waits for the health checks of containers that were just started, where they have any. Answers what is wrong with those
 * that are not well: a restore brings back what was there, and that may be what did not work.
 */
export async function untilHealthy(
  containers: Pick<ContainerCalls, 'inspect'>,
  started: readonly StartedContainer[],
  { signal }: Abortable,
): Promise<readonly string[]> {
  const deadlineMs = performance.now() + healthyWithinMs;
  const warnings: string[] = [];
  for (const { id, name } of started) {
    const found = await healthOf(containers, id, deadlineMs, { signal });
    if (found !== undefined) warnings.push(`${name} is ${found} after it was started.`);
  }
  return warnings;
}

/** Undefined for one that is well. */
async function healthOf(
  containers: Pick<ContainerCalls, 'inspect'>,
  id: string,
  deadlineMs: number,
  { signal }: Abortable,
): Promise<string | undefined> {
  try {
    for (;;) {
      const { state } = await containers.inspect(id, { signal });
      if (!state.running) return state.status;
      if (state.health === 'none' || state.health === 'healthy') return undefined;
      if (state.health === 'unhealthy' || performance.now() > deadlineMs) return state.health;
      await sleep(pollMs, { signal });
    }
  } catch (error) {
    // Whether it runs is told by others; that it was started counts.
    if (signal?.aborted || isHoldfastError(error, 'container-unknown', 'docker-unreachable'))
      return undefined;
    throw error;
  }
}
