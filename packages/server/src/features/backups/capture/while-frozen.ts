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
import type { ServerPlace } from '../../../runner/server-place.ts';
import type { JobRun } from '../../jobs/execution/job-handler.ts';
import type { FreezeStore } from '../../jobs/freeze-store.ts';
import {
  holdingContainers,
  startedMeanwhile,
  type WatchedContainer,
  type WatchedEnvironment,
  watchContainers,
} from './container-watch.ts';
import { HoldCommands } from './hold-commands.ts';
import { Gates, type HeldRequests } from './hold-gates.ts';
import { assertNoneNeeded, type NeededEndpoint } from './needed-containers.ts';

/** How long requests that are under way may take to end before the containers are paused. */
const mostDrainMs = 3000;
const drainPart = 0.3;

export interface FreezeOptions {
  readonly run: JobRun;
  readonly docker: DockerEngine;
  readonly environment: WatchedEnvironment;
  readonly freezes: FreezeStore;
  /** The longest that requests may be held and containers may stay paused. */
  readonly holdLimitMs: number;
  readonly clock: Clock;
  readonly serverPlace: Pick<ServerPlace, 'startGuardProgram' | 'own'>;
  /** What Holdfast itself needs meanwhile. */
  readonly endpoints: readonly NeededEndpoint[];
}

/**
 * @throws HoldfastError `freeze-refused` when what would be paused now holds Holdfast itself or what it needs
 */
export async function assertMayFreeze(
  options: Pick<FreezeOptions, 'run' | 'docker' | 'environment' | 'serverPlace' | 'endpoints'>,
): Promise<void> {
  const { run, docker, environment } = options;
  await assertNoneNeededOf(await watchContainers(docker, environment, run), options);
}

async function assertNoneNeededOf(
  containers: readonly WatchedContainer[],
  { environment, serverPlace, endpoints }: Pick<FreezeOptions, 'environment' | 'serverPlace' | 'endpoints'>,
): Promise<void> {
  const paused = containers.filter(({ goesOn, isSpared }) => goesOn && !isSpared);
  await assertNoneNeeded(paused, { environment, own: await serverPlace.own(), endpoints });
}

/**
 * Does the work while every running container that may write to the sources is paused and its gates hold what comes in,
 * and answers only if all of them stayed so in one run and no other container ran meanwhile. Whatever happens, they go on
 * before this settles; and if this process dies, the guard lets them go on, and the gates release by themselves. With
 * nothing running there is nothing to freeze.
 *
 *     look → guard armed, row written → gates hold → paused, all or none → work → looked at again → thawed
 *          → gates release → guard released → look
 *
 * @throws HoldfastError `freeze-failed`, `freeze-broken`, `freeze-limit-reached`, `guard-failed`, `gate-unreachable`,
 *   `gate-busy`, `hold-failed`, `freeze-refused`, and what the work throws
 */
export async function whileFrozen(
  options: FreezeOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<FreezeFacts> {
  const { run, docker, environment, holdLimitMs } = options;
  const before = await watchContainers(docker, environment, run);
  await assertNoneNeededOf(before, options);
  const running = before.filter(({ goesOn, isSpared }) => goesOn && !isSpared);
  if (running.length === 0) {
    await work(run.signal);
    await assertNothingRan(options, before);
    return { frozenMs: null, requestsHeld: null, longestWaitMs: null };
  }
  await using gates = await Gates.open(
    before.filter(({ goesOn, isGate }) => goesOn && isGate),
    {
      containers: docker.containers,
      limitMs: holdLimitMs,
      drainMs: Math.min(mostDrainMs, holdLimitMs * drainPart),
      signal: run.signal,
    },
  );
  const { log } = run;
  const proxies = new HoldCommands(holdingContainers(before), {
    docker,
    limitMs: holdLimitMs,
    log,
    signal: run.signal,
  });
  const freeze = new Freeze(options, running, { gates, proxies });
  const facts = await freeze.around(work);
  await assertNothingRan(options, before);
  return facts;
}

/** One freeze, from the arming of its guard to the end of that. */
class Freeze {
  readonly #options: FreezeOptions;
  readonly #targets: readonly WatchedContainer[];
  readonly #gates: Gates;
  readonly #proxies: HoldCommands;
  #startedAtMs = 0;
  #frozenMs = 0;
  #held: HeldRequests | undefined;

  constructor(
    options: FreezeOptions,
    targets: readonly WatchedContainer[],
    { gates, proxies }: { readonly gates: Gates; readonly proxies: HoldCommands },
  ) {
    this.#options = options;
    this.#targets = targets;
    this.#gates = gates;
    this.#proxies = proxies;
  }

  /** Thaws first and tells afterwards, whatever the work came to. */
  async around(work: (signal: AbortSignal) => Promise<void>): Promise<FreezeFacts> {
    const { run, docker, freezes, holdLimitMs, clock, serverPlace } = this.#options;
    const { jobId } = run.lease;
    const containers = this.#targets.map(({ containerId, startedAt }) => ({ containerId, startedAt }));
    const program = await serverPlace.startGuardProgram(jobId, docker);
    const guard = await startGuard({
      host: docker.host,
      containers,
      deadlineMs: () => clock.now() + holdLimitMs,
      ...(program === undefined ? {} : { program }),
      signal: run.signal,
    });
    try {
      const rows = containers.map(({ containerId, startedAt }) => ({ id: containerId, startedAt }));
      await freezes.record({ jobId, containers: rows, deadlineMs: guard.deadlineMs });
      await run.quietly(async () => {
        await this.#hold();
        await this.#pauseAndWork(guard, work);
      });
    } finally {
      await run.quietly(async () => await this.#thaw(guard));
      await freezes.markThawed(jobId);
    }
    const { requestsHeld = null, longestWaitMs = null } = this.#held ?? {};
    return { frozenMs: this.#frozenMs, requestsHeld, longestWaitMs };
  }

  async #hold(): Promise<void> {
    const { run } = this.#options;
    const names = [...this.#gates.names, ...this.#proxies.names];
    if (names.length === 0) return;
    run.step('Holding requests');
    const [left, others] = await Promise.allSettled([this.#gates.hold(), this.#proxies.hold()]);
    if (left.status === 'rejected') throw left.reason;
    if (others.status === 'rejected') throw others.reason;
    run.log(
      'info',
      `New requests wait in ${names.join(', ')}; ${left.value} that came before are still under way`,
    );
  }

  async #pauseAndWork(guard: Guard, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { run, docker, clock } = this.#options;
    this.#startedAtMs = clock.elapsed();
    const frozen = await freezeContainers(docker.containers, this.#targets, run);
    run.log('info', `Paused ${this.#targets.map(({ name }) => name).join(', ')}`);
    const signal = AbortSignal.any([run.signal, guard.broken]);
    await using thaws = await watchThaws(docker, frozen, { signal });
    await work(signal);
    await assertStillFrozen(this.#options, frozen);
    const thawed = thaws.seen();
    if (thawed.length > 0) throw freezeBroken(thawed.map((name) => `${name}: it went on for a moment`));
    guard.broken.throwIfAborted();
  }

  async #thaw(guard: Guard): Promise<void> {
    const { run, docker, clock } = this.#options;
    try {
      await thawContainers(docker.containers, this.#targets);
    } catch (error) {
      // It goes on trying for as long as Docker does not answer.
      guard.thaw().catch(() => {});
      throw error;
    }
    if (this.#startedAtMs !== 0) {
      this.#frozenMs = clock.elapsed() - this.#startedAtMs;
      run.log(
        'info',
        `The containers go on; they were paused for ${(this.#frozenMs / 1000).toFixed(2)} s at most`,
      );
    }
    [this.#held] = await Promise.all([this.#gates.release(), this.#proxies.release()]);
    if (this.#held !== undefined) {
      const { requestsHeld, longestWaitMs } = this.#held;
      run.log(
        'info',
        `${requestsHeld} requests were held, the longest for ${(longestWaitMs / 1000).toFixed(2)} s`,
      );
    }
    await guard.release();
  }
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
  { run, docker, environment }: FreezeOptions,
  before: readonly WatchedContainer[],
): Promise<void> {
  const paused = new Set(before.filter(({ goesOn }) => goesOn).map(({ containerId }) => containerId));
  const after = await watchContainers(docker, environment, run);
  const others = after.filter(({ containerId, isSpared }) => !isSpared && !paused.has(containerId));
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
