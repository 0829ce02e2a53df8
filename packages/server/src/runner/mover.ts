import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type Abortable, HoldfastError, sleep, throwIfAborted, toHoldfastError } from '@holdfast/base';
import type { MoverEvent, MoverMessage, TaskId, TaskSpec } from '@holdfast/protocol';
import { eventLines, parseEvent } from './event-lines.ts';
import {
  type Milestones,
  type MilestoneType,
  type MoverEventOf,
  readMilestones,
  withEvent,
} from './milestones.ts';

export type MoverChild = ChildProcessByStdio<Writable, Readable, Readable>;

export interface MoverExit {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Called for every event in order; what it does must be quick. */
export type OnMoverEvent = (event: MoverEvent) => void;

/** How much of what a dying process says is kept. */
const lastWordsLimit = 2000;

/**
 * A mover at work, as the server that started it sees it.
 *
 *     running ── result ──► ended          ended without a result: by its event file it may have had one after all
 *        └─── end of process ──► ended
 */
export class Mover {
  readonly taskId: TaskId;
  /** Resolves when the process has ended and all that it reported was taken in; never rejects. */
  readonly exited: Promise<MoverExit>;
  readonly #child: MoverChild;
  readonly #task: TaskSpec;
  readonly #onEvent: OnMoverEvent;
  #milestones: Milestones = {};
  #failure: HoldfastError | undefined;
  #lastWords = '';
  #changed = Promise.withResolvers<void>();
  #hasEnded = false;

  constructor(child: MoverChild, task: TaskSpec, onEvent: OnMoverEvent) {
    this.#child = child;
    this.#task = task;
    this.#onEvent = onEvent;
    this.taskId = task.taskId;
    // What cannot be written to a mover that is gone shows by its end.
    child.stdin.on('error', () => {});
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-lastWordsLimit);
    });
    this.exited = this.#follow();
    child.stdin.write(`${JSON.stringify(task)}\n`);
  }

  /** What was reported so far. */
  get milestones(): Milestones {
    return this.#milestones;
  }

  /** What the process wrote to standard error, its end only: for logs. */
  get lastWords(): string {
    return this.#lastWords;
  }

  send(message: MoverMessage): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /**
   * Resolves as soon as the mover has reported the milestone.
   * @throws HoldfastError the error of the task's result when it ends without; `mover-lost` when the process ends
   * without a result, `mover-failed` when it could not be started or does not speak the protocol; the signal's reason
   */
  async waitFor<Type extends MilestoneType>(
    type: Type,
    { signal }: Abortable = {},
  ): Promise<MoverEventOf<Type>> {
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        const milestone: Milestones[Type] = this.#milestones[type];
        if (milestone !== undefined) return milestone;
        if (this.#milestones.result !== undefined || this.#hasEnded) throw this.#endedWithout(type);
        throwIfAborted(signal);
        await Promise.race([this.#changed.promise, aborted.promise]);
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Resolves when the task is done, with what was not done exactly as asked.
   * @throws HoldfastError as `waitFor`, and the error of a result that is none of success
   */
  async waitForSuccess(options: Abortable = {}): Promise<readonly string[]> {
    const { outcome, warnings } = await this.waitFor('result', options);
    if (outcome === 'failed' || outcome === 'cancelled') throw this.#endedWithout('done');
    return warnings;
  }

  /** Asks it to end, kills it after `graceMs`, and waits until it is gone. After `commit` only the killing ends it. */
  async end(graceMs: number): Promise<void> {
    this.send({ type: 'cancel' });
    await Promise.race([this.exited, sleep(graceMs)]);
    await this.kill();
  }

  /** Kills it and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  async #follow(): Promise<MoverExit> {
    const exit = Promise.withResolvers<MoverExit>();
    this.#child.once('exit', (status, signal) => exit.resolve({ status, signal }));
    this.#child.once('error', (error) => {
      this.#fail(new HoldfastError('mover-failed', 'The mover could not be started.', { cause: error }));
      if (this.#child.pid === undefined) exit.resolve({ status: null, signal: null });
    });
    await this.#readEvents();
    const ended = await exit.promise;
    await this.#readResultFromFile();
    this.#hasEnded = true;
    this.#wake();
    return ended;
  }

  async #readEvents(): Promise<void> {
    try {
      for await (const line of eventLines(this.#child.stdout)) this.#take(line);
    } catch (error) {
      this.#fail(toHoldfastError(error));
    }
  }

  #take(line: string): void {
    const event = parseEvent(line);
    if (event?.taskId !== this.#task.taskId || event.epoch !== this.#task.epoch) {
      this.#fail(new HoldfastError('mover-failed', 'The mover said something that is no event of its task.'));
      return;
    }
    this.#milestones = withEvent(this.#milestones, event);
    this.#onEvent(event);
    this.#wake();
  }

  /** Standard output is a copy only: where it broke off, the event file is what counts. */
  async #readResultFromFile(): Promise<void> {
    if (this.#milestones.result !== undefined) return;
    try {
      this.#milestones = { ...this.#milestones, ...(await readMilestones(this.#task.eventsPath)) };
    } catch (error) {
      this.#fail(toHoldfastError(error));
    }
  }

  #fail(error: HoldfastError): void {
    this.#failure ??= error;
    this.#child.kill('SIGKILL');
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  #endedWithout(what: MilestoneType | 'done'): HoldfastError {
    const { result } = this.#milestones;
    if (result?.error != null) return HoldfastError.fromReport(result.error);
    if (this.#failure !== undefined) return this.#failure;
    if (result !== undefined) {
      return new HoldfastError('mover-failed', `The mover ended ${result.outcome} without being ${what}.`);
    }
    const { exitCode, signalCode } = this.#child;
    return new HoldfastError(
      'mover-lost',
      signalCode === null
        ? `The mover ended with status ${exitCode} and no result.`
        : `The mover was ended by ${signalCode}.`,
      {
        hint: 'Run the job again. Where memory is short, the system may have ended it: see the log of the kernel.',
        context: { exitStatus: exitCode, signal: signalCode },
      },
    );
  }
}
