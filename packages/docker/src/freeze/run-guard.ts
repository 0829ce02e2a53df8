import { type Clock, sleep, systemClock } from '@holdfast/base';
import { connectDocker } from '../engine-port/connect-docker.ts';
import type { DockerEngine } from '../engine-port/docker-engine.ts';
import { type FreezeTarget, targetState } from './freeze-target.ts';
import type { GuardEvent, GuardSpec } from './guard-protocol.ts';
import { thawOnce } from './thaw-containers.ts';
import type { ThawTrigger } from './thaw-trigger.ts';

/**
 * States of a guard:
 *
 *   connecting → watching → released → ended
 *                        ↘ thawing ⟲ → ended
 *
 * - connecting: nothing is paused yet. A failure here is reported, and the freeze does not begin.
 * - watching: until released, told to thaw, abandoned, terminated, or the deadline is there.
 * - released: the server says that all go on; looks once, and thaws what does not.
 * - thawing: thaws and looks again for as long as Docker does not answer and, unless told to thaw by a server that
 *   lives, for a while after the last that was found paused.
 */
export interface GuardRun {
  readonly spec: GuardSpec;
  readonly trigger: ThawTrigger;
  readonly emit: (event: GuardEvent) => void;
  readonly process: { readonly pid: number; readonly startTicks: string };
  readonly clock?: Clock;
}

/** A request to pause may still be on its way when the server that sent it dies. */
export const guardLingerMs = 3000;
const pollMs = 100;
const longestWaitMs = 2000;
const deadlinePollMs = 100;

/** Resolves when nothing is paused any more that this guard is for; rejects only while connecting. */
export async function runGuard({
  spec,
  trigger,
  emit,
  process,
  clock = systemClock,
}: GuardRun): Promise<void> {
  const docker = await connectDocker({ host: spec.host });
  const watched = await selectWatched(docker, spec.containers);
  emit({ type: 'armed', ...process, containers: watched.map(({ containerId }) => containerId) });
  const deadline = watchDeadline(spec.deadlineMs, trigger, clock);
  const outcome = await trigger.fired;
  clearInterval(deadline);
  if (outcome.type === 'thaw') emit({ type: 'thawing', reason: outcome.reason });
  const isAsked = outcome.type === 'released' || outcome.reason === 'told';
  await thawAll({ docker, watched, trigger, emit, clock, lingerMs: isAsked ? 0 : guardLingerMs });
}

/** What is paused already, or is another run, was not for this guard to thaw. */
async function selectWatched(
  docker: DockerEngine,
  targets: readonly FreezeTarget[],
): Promise<FreezeTarget[]> {
  const states = await Promise.all(targets.map((target) => targetState(docker.containers, target)));
  return targets.filter((_, index) => states[index] === 'running');
}

/** By both clocks: the wall clock may be set back, the other stands still while the machine sleeps. */
function watchDeadline(deadlineMs: number, trigger: ThawTrigger, clock: Clock): NodeJS.Timeout {
  const deadlineElapsed = clock.elapsed() + (deadlineMs - clock.now());
  return setInterval(() => {
    if (clock.now() >= deadlineMs || clock.elapsed() >= deadlineElapsed) trigger.thaw('deadline');
  }, deadlinePollMs);
}

interface Thawing {
  readonly docker: DockerEngine;
  readonly watched: readonly FreezeTarget[];
  readonly trigger: ThawTrigger;
  readonly emit: (event: GuardEvent) => void;
  readonly clock: Clock;
  /** How long to look on after nothing was found paused. */
  readonly lingerMs: number;
}

async function thawAll({ docker, watched, trigger, emit, clock, lingerMs }: Thawing): Promise<void> {
  let quietSince = clock.elapsed();
  let waitMs = pollMs;
  for (;;) {
    const { thawed, failure } = await thawOnce(docker.containers, watched);
    if (thawed.length > 0) emit({ type: 'thawed', containers: thawed });
    const isQuiet = thawed.length === 0 && failure === undefined;
    if (!isQuiet) quietSince = clock.elapsed();
    if (failure === undefined && trigger.isReleased) return;
    if (isQuiet && clock.elapsed() - quietSince >= lingerMs) return;
    waitMs = failure === undefined ? pollMs : Math.min(waitMs * 2, longestWaitMs);
    await sleep(waitMs);
  }
}
