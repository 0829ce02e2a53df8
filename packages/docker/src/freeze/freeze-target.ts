import { type Abortable, isHoldfastError } from '@holdfast/base';
import type { ContainerCalls } from '../engine-port/docker-engine.ts';
import type { Container } from '../engine-port/engine-objects.ts';

/** One run of one container: a restart makes it another. */
export interface FreezeTarget {
  readonly containerId: string;
  /** `ContainerState.startedAt` */
  readonly startedAt: string;
}

/** What freezing and thawing need of the engine. */
export type FreezeCalls = Pick<ContainerCalls, 'inspect' | 'pause' | 'unpause'>;

/**
 * Those of the containers that run and are not paused: what a freeze may pause and a thaw may let go on. The others stay
 * as they are. Fails with `container-unknown` for one that is gone.
 */
export async function selectFreezeTargets(
  containers: Pick<ContainerCalls, 'inspect'>,
  containerIds: readonly string[],
  { signal }: Abortable = {},
): Promise<FreezeTarget[]> {
  const inspected = await Promise.all(containerIds.map((id) => containers.inspect(id, { signal })));
  return inspected
    .filter(({ state }) => state.status === 'running')
    .map(({ id, state }) => ({ containerId: id, startedAt: state.startedAt }));
}

/** Where a target stands now. */
export type TargetState =
  | 'running'
  | 'paused'
  /** It ended, is about to be started again, or was removed. */
  | 'not-running'
  /** It runs or is paused, but it was started again since. */
  | 'another-run';

export async function targetState(
  containers: Pick<ContainerCalls, 'inspect'>,
  target: FreezeTarget,
  options: Abortable = {},
): Promise<TargetState> {
  try {
    return stateOf(await containers.inspect(target.containerId, options), target);
  } catch (error) {
    if (isHoldfastError(error, 'container-unknown')) return 'not-running';
    throw error;
  }
}

function stateOf({ state }: Container, target: FreezeTarget): TargetState {
  if (state.status !== 'running' && state.status !== 'paused') return 'not-running';
  return state.startedAt === target.startedAt ? state.status : 'another-run';
}
