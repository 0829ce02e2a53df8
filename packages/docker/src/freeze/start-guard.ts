import { createInterface } from 'node:readline';
import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import { withinTime } from '../within-time.ts';
import type { FreezeTarget } from './freeze-target.ts';
import { type GuardProgram, spawnGuard } from './guard-program.ts';
import {
  type GuardEvent,
  type GuardMessage,
  type GuardSpec,
  parseGuardEvent,
  type ThawReason,
} from './guard-protocol.ts';

const armTimeoutMs = 30_000;
const endTimeoutMs = 45_000;

export interface StartGuardOptions extends Abortable {
  /** Of the Docker Engine, as for `connectDocker`. */
  readonly host: string;
  /** What is about to be frozen: `selectFreezeTargets`. */
  readonly containers: readonly FreezeTarget[];
  /**
   * Milliseconds since the Unix epoch: the longest that the containers may stay paused. A function is asked when the
   * guard has started, which takes a second where it is a container.
   */
  readonly deadlineMs: number | (() => number);
  /** Default: a process. */
  readonly program?: GuardProgram;
}

/**
 * A guard that is armed: it is a process of its own and session, or a container, connected to Docker, and thaws what of
 * its containers is paused when this process dies in whatever way, when the deadline comes, or when told. Disposing a
 * guard that was not released thaws.
 */
export interface Guard extends AsyncDisposable {
  /** Its own pid; of a container, within that. */
  readonly pid: number;
  /** With the pid and the boot id this names the process for good. */
  readonly startTicks: string;
  readonly deadlineMs: number;
  /** What it watches: those of the containers given that ran, in the run given, when it was armed. */
  readonly containers: readonly string[];
  /**
   * Fires when the guard thaws unasked (`freeze-limit-reached`, `freeze-broken`) or dies (`guard-failed`): what is
   * read from then on is not of one moment. After its death nothing but this process thaws.
   */
  readonly broken: AbortSignal;
  /** All are thawed already: the guard looks once more and ends. */
  release(): Promise<void>;
  /** Thaws all; resolves when the guard has ended. */
  thaw(): Promise<void>;
}

/** Fails with `guard-failed`, or with the guard's own error when it cannot reach Docker; nothing is frozen by it. */
export async function startGuard(options: StartGuardOptions): Promise<Guard> {
  throwIfAborted(options.signal);
  const program = options.program ?? spawnGuard(options.host);
  // Writing to a guard that has died is no failure of its own: its end is what counts.
  program.stdin.on('error', () => {});
  return await arm(program, options);
}

type Armed = Extract<GuardEvent, { type: 'armed' }>;

async function arm(program: GuardProgram, options: StartGuardOptions): Promise<Guard> {
  const { signal } = options;
  const broken = new AbortController();
  const ready = Promise.withResolvers<void>();
  const armed = Promise.withResolvers<Armed>();
  const exited = Promise.withResolvers<void>();
  let isAsked = false;
  const fail = (error: HoldfastError): void => {
    ready.reject(error);
    armed.reject(error);
  };
  // Only one of them is waited for at a time.
  ready.promise.catch(() => {});
  armed.promise.catch(() => {});
  const onEvent = (event: GuardEvent) => {
    if (event.type === 'ready') ready.resolve();
    if (event.type === 'armed') armed.resolve(event);
    if (event.type === 'failed') fail(HoldfastError.fromReport(event.error));
    if (event.type === 'thawing' && !isAsked) broken.abort(thawedUnasked(event.reason));
  };
  createInterface({ input: program.stdout }).on('line', (line) => {
    const event = parseGuardEvent(line);
    if (event !== undefined) onEvent(event);
  });
  const onEnd = (error: HoldfastError): void => {
    fail(error);
    if (!isAsked) broken.abort(guardFailed('died'));
    exited.resolve();
  };
  program.ended.then(
    () => onEnd(guardFailed('ended before it was armed')),
    (cause: unknown) => onEnd(guardFailed('could not be started', cause)),
  );
  const ask = async (message: GuardMessage): Promise<void> => {
    isAsked = true;
    program.stdin.end(`${JSON.stringify({ type: message })}\n`);
    const onTimeout = () => guardFailed('did not end: it still tries to thaw');
    await withinTime({ timeoutMs: endTimeoutMs, onTimeout }, () => exited.promise);
  };
  try {
    const onTimeout = () => guardFailed('was not armed in time');
    const within = { timeoutMs: armTimeoutMs, onTimeout, signal };
    await withinTime(within, () => ready.promise);
    const deadlineMs = typeof options.deadlineMs === 'number' ? options.deadlineMs : options.deadlineMs();
    const spec: GuardSpec = { host: program.host, containers: options.containers, deadlineMs };
    program.stdin.write(`${JSON.stringify(spec)}\n`);
    const { pid, startTicks, containers } = await withinTime(within, () => armed.promise);
    return {
      pid,
      startTicks,
      deadlineMs,
      containers,
      broken: broken.signal,
      release: () => ask('release'),
      thaw: () => ask('thaw'),
      [Symbol.asyncDispose]: () => (isAsked ? Promise.resolve() : ask('thaw')),
    };
  } catch (error) {
    isAsked = true;
    program.kill();
    throw error;
  }
}

function thawedUnasked(reason: ThawReason): HoldfastError {
  if (reason === 'deadline') {
    return new HoldfastError(
      'freeze-limit-reached',
      'The containers were paused for too long and were thawed.',
      {
        hint: 'Raise the limit of a freeze, or leave out what need not be captured.',
      },
    );
  }
  return new HoldfastError('freeze-broken', 'The containers were thawed before the capture was done.', {
    context: { reason },
    retry: true,
  });
}

function guardFailed(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('guard-failed', `The guard that thaws paused containers ${what}.`, {
    hint: 'Run it again; if it happens again, see the machine for a lack of memory or processes.',
    retry: true,
    cause,
  });
}
