import { type Abortable, type Clock, isHoldfastError, sleep, systemClock } from '@holdfast/base';
import { type FreezeCalls, type FreezeTarget, targetState } from './freeze-target.ts';

const firstWaitMs = 50;
const longestWaitMs = 1000;

export interface ThawOptions extends Abortable {
  /** How long to try again what fails, Docker being unreachable included. Default 30 s. */
  readonly tryForMs?: number;
  readonly clock?: Clock;
}

/**
 * Lets every target go on that is paused and still the same run; leaves all others alone. May run beside another that
 * does the same. Answers the ids of those that it thawed; fails with the last error when some could not be thawed in
 * time.
 */
export async function thawContainers(
  containers: FreezeCalls,
  targets: readonly FreezeTarget[],
  options: ThawOptions = {},
): Promise<string[]> {
  const { tryForMs = 30_000, clock = systemClock, signal } = options;
  const giveUpAt = clock.elapsed() + tryForMs;
  const thawed: string[] = [];
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const round = await thawOnce(containers, targets);
    thawed.push(...round.thawed);
    if (round.failure === undefined) return thawed;
    if (clock.elapsed() >= giveUpAt) throw round.failure;
    await sleep(waitMs, { signal });
  }
}

export interface ThawRound {
  readonly thawed: readonly string[];
  /** One of the failures, if any target failed. */
  readonly failure: unknown;
}

/** One try for each target, all at once. */
export async function thawOnce(
  containers: FreezeCalls,
  targets: readonly FreezeTarget[],
): Promise<ThawRound> {
  const outcomes = await Promise.allSettled(targets.map((target) => thawOne(containers, target)));
  const thawed = targets.filter((_, index) => {
    const outcome = outcomes[index];
    return outcome?.status === 'fulfilled' && outcome.value;
  });
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  return { thawed: thawed.map(({ containerId }) => containerId), failure: failed?.reason };
}

async function thawOne(containers: FreezeCalls, target: FreezeTarget): Promise<boolean> {
  if ((await targetState(containers, target)) !== 'paused') return false;
  try {
    await containers.unpause(target.containerId);
    return true;
  } catch (error) {
    if (!isHoldfastError(error, 'docker-refused', 'container-unknown')) throw error;
    // Somebody else was faster, or it ended.
    if ((await targetState(containers, target)) === 'paused') throw error;
    return false;
  }
}
