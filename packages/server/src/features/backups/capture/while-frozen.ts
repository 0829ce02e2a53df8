import { type Clock, HoldfastError } from '@holdfast/base';
import {
  type DockerEngine,
  type FreezeTarget,
  freezeContainers,
  type Guard,
  startGuard,
  thawContainers,
  verifyFrozen,
  watchThaws,
} from '@holdfast/docker';
import type { FreezeFacts } from '@holdfast/protocol';
import type { JobRun } from '../../jobs/execution/job-handler.ts';
import type { FreezeStore } from '../../jobs/freeze-store.ts';
import { startedMeanwhile, type WatchedContainer, watchContainers } from './container-watch.ts';

export interface FreezeOptions {
  readonly run: JobRun;
  readonly docker: DockerEngine;
  readonly environmentName: string;
  readonly freezes: FreezeStore;
  /** The longest that the containers may stay paused. */
  readonly holdLimitMs: number;
  readonly clock: Clock;
}

/**
 * Does the work while every running container of the environment is paused, and answers only if all of them stayed so
 * in one run and no other container ran meanwhile. Whatever happens, they go on before this settles; and if this process
 * dies, the guard lets them go on. With nothing running there is nothing to freeze.
 *
 *     look → guard armed → row written → paused, all or none → work → looked at again → thawed → guard released → look
 *
 * @throws HoldfastError `freeze-failed`, `freeze-broken`, `freeze-limit-reached`, `guard-failed`, and what the work throws
 */
export async function whileFrozen(
  options: FreezeOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<FreezeFacts> {
  const { run, docker, environmentName } = options;
  const before = await watchContainers(docker, environmentName, run);
  const running = before.filter(({ goesOn }) => goesOn);
  if (running.length === 0) {
    await work(run.signal);
    await assertNothingRan(options, before, []);
    return { frozenMs: null, ...noGates };
  }
  const frozenMs = await underGuard(options, running, async (guard) => {
    const frozen = await freezeContainers(docker.containers, running, run);
    run.log('info', `Paused ${running.map(({ name }) => name).join(', ')}`);
    const signal = AbortSignal.any([run.signal, guard.broken]);
    await using thaws = await watchThaws(docker, frozen, { signal });
    await work(signal);
    await assertStillFrozen(options, frozen);
    const thawed = thaws.seen();
    if (thawed.length > 0) throw freezeBroken(thawed.map((name) => `${name}: it went on for a moment`));
    guard.broken.throwIfAborted();
  });
  await assertNothingRan(options, before, running);
  return { frozenMs, ...noGates };
}

const noGates = { requestsHeld: null, longestWaitMs: null };

/** Thaws first and tells afterwards, whatever the work came to. Answers for how long anything was paused, at most. */
async function underGuard(
  { run, docker, freezes, holdLimitMs, clock }: FreezeOptions,
  targets: readonly FreezeTarget[],
  work: (guard: Guard) => Promise<void>,
): Promise<number> {
  const { jobId } = run.lease;
  const deadlineMs = clock.now() + holdLimitMs;
  const containers = targets.map(({ containerId, startedAt }) => ({ containerId, startedAt }));
  const guard = await startGuard({ host: docker.host, containers, deadlineMs, signal: run.signal });
  let startedAtMs = clock.elapsed();
  let frozenMs = 0;
  try {
    const rows = targets.map(({ containerId, startedAt }) => ({ id: containerId, startedAt }));
    await freezes.record({ jobId, containers: rows, deadlineMs });
    startedAtMs = clock.elapsed();
    await work(guard);
  } finally {
    await thaw(docker, targets, guard, () => {
      frozenMs = clock.elapsed() - startedAtMs;
    });
    run.log('info', `The containers go on; they were paused for ${(frozenMs / 1000).toFixed(2)} s at most`);
    await freezes.markThawed(jobId);
  }
  return frozenMs;
}

async function thaw(
  docker: DockerEngine,
  targets: readonly FreezeTarget[],
  guard: Guard,
  onThawed: () => void,
): Promise<void> {
  try {
    await thawContainers(docker.containers, targets);
    onThawed();
  } catch (error) {
    // It goes on trying for as long as Docker does not answer.
    guard.thaw().catch(() => {});
    throw error;
  }
  await guard.release();
}

async function assertStillFrozen(
  { run, docker }: FreezeOptions,
  frozen: readonly FreezeTarget[],
): Promise<void> {
  const verdict = await verifyFrozen(docker.containers, frozen, run);
  if (verdict.intact) return;
  throw freezeBroken(
    verdict.broken.map(({ containerId, reason }) => `${containerId.slice(0, 12)}: ${reason}`),
  );
}

/** Looks after the thaw, which does not wait for it: what starts in just that moment counts as too early. */
async function assertNothingRan(
  { run, docker, environmentName }: FreezeOptions,
  before: readonly WatchedContainer[],
  frozen: readonly FreezeTarget[],
): Promise<void> {
  const frozenIds = new Set(frozen.map(({ containerId }) => containerId));
  const after = await watchContainers(docker, environmentName, run);
  const others = after.filter(({ containerId }) => !frozenIds.has(containerId));
  const started = startedMeanwhile(before, others);
  if (started.length > 0) throw freezeBroken(started.map((name) => `${name}: it ran meanwhile`));
}

function freezeBroken(containers: readonly string[]): HoldfastError {
  return new HoldfastError(
    'freeze-broken',
    `The environment did not stand still while it was captured: ${containers.join('; ')}.`,
    {
      hint: 'Take the backup again while nothing starts or unpauses its containers; stop one that crashes again and again.',
      context: { containers },
      retry: true,
    },
  );
}
