import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Abortable, HoldfastError, throwIfAborted } from '@holdfast/base';
import { withinTime } from '../within-time.ts';
import type { FreezeTarget } from './freeze-target.ts';
import { type GuardEvent, type GuardMessage, parseGuardEvent, type ThawReason } from './guard-protocol.ts';

const armTimeoutMs = 30_000;
const endTimeoutMs = 45_000;

export interface StartGuardOptions extends Abortable {
  /** Of the Docker Engine, as for `connectDocker`. */
  readonly host: string;
  /** What is about to be frozen: `selectFreezeTargets`. */
  readonly containers: readonly FreezeTarget[];
  /** Milliseconds since the Unix epoch: the longest that the containers may stay paused. */
  readonly deadlineMs: number;
}

/**
 * A guard that is armed: it is a process of its own and session, connected to Docker, and thaws what of its containers
 * is paused when this process dies in whatever way, when the deadline comes, or when told. Disposing a guard that was
 * not released thaws.
 */
export interface Guard extends AsyncDisposable {
  readonly pid: number;
  /** With the pid and the boot id this names the process for good. */
  readonly startTicks: string;
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

type GuardProcess = ChildProcessByStdio<Writable, Readable, null>;

/** Fails with `guard-failed`, or with the guard's own error when it cannot reach Docker; nothing is frozen by it. */
export async function startGuard(options: StartGuardOptions): Promise<Guard> {
  throwIfAborted(options.signal);
  const child = spawn(process.execPath, [fileURLToPath(new URL('./guard-main.ts', import.meta.url))], {
    // A session of its own: no signal to this process's group reaches it.
    detached: true,
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // Writing to a guard that has died is no failure of its own: its end is what counts.
  child.stdin.on('error', () => {});
  const { host, containers, deadlineMs } = options;
  child.stdin.write(`${JSON.stringify({ host, containers, deadlineMs })}\n`);
  return arm(child, options.signal);
}

async function arm(child: GuardProcess, signal: AbortSignal | undefined): Promise<Guard> {
  const broken = new AbortController();
  const armed = Promise.withResolvers<Extract<GuardEvent, { type: 'armed' }>>();
  const exited = Promise.withResolvers<void>();
  let isAsked = false;
  const onEvent = (event: GuardEvent) => {
    if (event.type === 'armed') armed.resolve(event);
    if (event.type === 'failed') armed.reject(HoldfastError.fromReport(event.error));
    if (event.type === 'thawing' && !isAsked) broken.abort(thawedUnasked(event.reason));
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = parseGuardEvent(line);
    if (event !== undefined) onEvent(event);
  });
  child.once('error', (cause) => armed.reject(guardFailed('could not be started', cause)));
  child.once('close', () => {
    armed.reject(guardFailed('ended before it was armed'));
    if (!isAsked) broken.abort(guardFailed('died'));
    exited.resolve();
  });
  const ask = async (message: GuardMessage): Promise<void> => {
    isAsked = true;
    child.stdin.end(`${JSON.stringify({ type: message })}\n`);
    const onTimeout = () => guardFailed('did not end: it still tries to thaw');
    await withinTime({ timeoutMs: endTimeoutMs, onTimeout }, () => exited.promise);
  };
  try {
    const onTimeout = () => guardFailed('was not armed in time');
    const { pid, startTicks, containers } = await withinTime(
      { timeoutMs: armTimeoutMs, onTimeout, signal },
      () => armed.promise,
    );
    return {
      pid,
      startTicks,
      containers,
      broken: broken.signal,
      release: () => ask('release'),
      thaw: () => ask('thaw'),
      [Symbol.asyncDispose]: () => (isAsked ? Promise.resolve() : ask('thaw')),
    };
  } catch (error) {
    isAsked = true;
    child.kill('SIGKILL');
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
