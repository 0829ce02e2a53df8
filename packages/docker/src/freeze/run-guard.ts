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
  /** Only for a guard that is started again whenever it ends. */
  readonly lives?: GuardLives;
}

/** What there is from one life of a guard to the next. */
export interface GuardLives {
  /** It was armed in a life before: whoever it listened to is gone, and all that it watched is to go on. */
  readonly wasArmed: boolean;
  /** Called with what it watches, before it says that it is armed. */
  remember(spec: GuardSpec): void;
}

/** A request to pause may still be on its way when the server that sent it dies. */
export const guardLingerMs = 3000;
const pollMs = 100;
const longestWaitMs = 2000;
const deadlinePollMs = 100;
/** The socket of an engine that was restarted may be another file: the next life has that. */
const oneLifeMs = 1000;
const enginePollMs = 1000;

/** Resolves when nothing is paused any more that this guard is for; rejects only while connecting or after `failForMs`. */
export async function runGuard({
  spec,
  trigger,
  emit,
  process,
  clock = systemClock,
  lives,
}: GuardRun): Promise<void> {
  const docker = await connectDocker({ host: spec.host });
  if (lives?.wasArmed === true) trigger.thaw('abandoned');
  // By now they may be paused: what was not, was chosen when it was armed.
  const watched = lives?.wasArmed === true ? spec.containers : await selectWatched(docker, spec.containers);
  lives?.remember({ ...spec, containers: watched });
  emit({ type: 'armed', ...process, containers: watched.map(({ containerId }) => containerId) });
  const deadline = watchDeadline(spec.deadlineMs, trigger, clock);
  const engine = lives === undefined ? undefined : watchEngine(docker, trigger);
  const outcome = await trigger.fired;
  clearInterval(deadline);
  clearInterval(engine);
  if (outcome.type === 'thaw') emit({ type: 'thawing', reason: outcome.reason });
  const isAsked = outcome.type === 'released' || outcome.reason === 'told';
  const lingerMs = isAsked ? 0 : guardLingerMs;
  const failForMs = lives === undefined ? Number.POSITIVE_INFINITY : oneLifeMs;
  await thawAll({ docker, watched, trigger, emit, clock, lingerMs, failForMs });
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

/** An engine that was restarted let something go on or end: the freeze is no more, and the next life has its socket. */
function watchEngine(docker: DockerEngine, trigger: ThawTrigger): NodeJS.Timeout {
  return setInterval(() => {
    docker.ping().catch(() => trigger.thaw('terminated'));
  }, enginePollMs);
}

interface Thawing {
  readonly docker: DockerEngine;
  readonly watched: readonly FreezeTarget[];
  readonly trigger: ThawTrigger;
  readonly emit: (event: GuardEvent) => void;
  readonly clock: Clock;
  /** How long to look on after nothing was found paused. */
  readonly lingerMs: number;
  /** How long Docker may fail before this gives up. */
  readonly failForMs: number;
}

async function thawAll(thawing: Thawing): Promise<void> {
  const { docker, watched, trigger, emit, clock, lingerMs, failForMs } = thawing;
  let quietSince = clock.elapsed();
  let worksSince = quietSince;
  let waitMs = pollMs;
  for (;;) {
    const { thawed, failure } = await thawOnce(docker.containers, watched);
    if (thawed.length > 0) emit({ type: 'thawed', containers: thawed });
    if (failure === undefined) worksSince = clock.elapsed();
    if (clock.elapsed() - worksSince > failForMs) throw failure;
    const isQuiet = thawed.length === 0 && failure === undefined;
    if (!isQuiet) quietSince = clock.elapsed();
    if (failure === undefined && trigger.isReleased) return;
    if (isQuiet && clock.elapsed() - quietSince >= lingerMs) return;
    waitMs = failure === undefined ? pollMs : Math.min(waitMs * 2, longestWaitMs);
    await sleep(waitMs);
  }
}
