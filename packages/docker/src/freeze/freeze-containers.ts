import {
  type Abortable,
  type Clock,
  HoldfastError,
  sleep,
  systemClock,
  throwIfAborted,
} from '@holdfast/base';
import { type FreezeCalls, type FreezeTarget, targetState } from './freeze-target.ts';
import { thawContainers } from './thaw-containers.ts';

const attempts = 3;
/** No further attempt begins later than this after the first. */
const tryForMs = 2000;
const waitMs = 100;

export interface FreezeOptions extends Abortable {
  readonly clock?: Clock;
}

/**
 * Pauses all targets at once, all or nothing: when one cannot be paused, those that were are thawed and everything is
 * tried again, three times within two seconds. Answers the targets that are paused now: those that had ended by
 * themselves are left out.
 *
 * Fails with `freeze-failed`, `docker-unreachable` or `interrupted`, and then has thawed what it could reach. Requests
 * to pause are not cut short by the signal, so that what they did is known and undone. Arm a guard before.
 */
export async function freezeContainers(
  containers: FreezeCalls,
  targets: readonly FreezeTarget[],
  { clock = systemClock, signal }: FreezeOptions = {},
): Promise<FreezeTarget[]> {
  const startedAt = clock.elapsed();
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal);
    const { frozen, failures } = await pauseAll(containers, targets);
    if (failures.length === 0 && signal?.aborted !== true) return frozen;
    await thawContainers(containers, targets);
    throwIfAborted(signal);
    const isOver = attempt >= attempts || clock.elapsed() - startedAt >= tryForMs;
    if (isOver || !failures.every(({ mayPass }) => mayPass)) throw freezeFailed(failures, attempt);
    await sleep(waitMs * attempt, { signal });
  }
}

interface Failure {
  readonly target: FreezeTarget;
  readonly reason: string;
  /** Trying again may help. */
  readonly mayPass: boolean;
  readonly cause?: unknown;
}

interface PauseRound {
  readonly frozen: FreezeTarget[];
  readonly failures: readonly Failure[];
}

async function pauseAll(containers: FreezeCalls, targets: readonly FreezeTarget[]): Promise<PauseRound> {
  const outcomes = await Promise.all(
    targets.map(async (target) => ({ target, outcome: await pauseOne(containers, target) })),
  );
  return {
    frozen: outcomes.filter(({ outcome }) => outcome === 'frozen').map(({ target }) => target),
    failures: outcomes.flatMap(({ outcome }) => (typeof outcome === 'string' ? [] : [outcome])),
  };
}

/** Looks before, lest a run that is not the target's is paused, and after, as the engine may pause and yet complain. */
async function pauseOne(
  containers: FreezeCalls,
  target: FreezeTarget,
): Promise<'frozen' | 'ended' | Failure> {
  try {
    const before = await targetState(containers, target);
    if (before === 'not-running') return 'ended';
    if (before === 'another-run') return restarted(target);
    await containers.pause(target.containerId);
    return 'frozen';
  } catch (cause) {
    return afterFailedPause(containers, target, cause);
  }
}

async function afterFailedPause(
  containers: FreezeCalls,
  target: FreezeTarget,
  cause: unknown,
): Promise<'ended' | Failure> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  try {
    const state = await targetState(containers, target);
    if (state === 'not-running') return 'ended';
    if (state === 'another-run') return restarted(target);
  } catch {
    // The first failure says more.
  }
  return { target, reason, mayPass: true, cause };
}

function restarted(target: FreezeTarget): Failure {
  return { target, reason: 'it was started again meanwhile', mayPass: false };
}

function freezeFailed(failures: readonly Failure[], attempt: number): HoldfastError {
  const [first] = failures;
  const reasons = failures.map(({ target, reason }) => `${target.containerId.slice(0, 12)}: ${reason}`);
  const tries = attempt === 1 ? 'once' : `${attempt} times`;
  return new HoldfastError(
    'freeze-failed',
    `The containers could not be paused, tried ${tries}: ${first?.reason}`,
    {
      hint: 'Nothing is left paused. Try again when the app writes less; on cgroup v1 pausing often fails under load.',
      context: { containers: reasons, attempts: attempt },
      retry: true,
      cause: first?.cause,
    },
  );
}
