import { type Abortable, HoldfastError, sleep, throwIfAborted, toHoldfastError } from '@holdfast/base';
import type { MoverEvent, MoverMessage, TaskId, TaskSpec } from '@holdfast/protocol';
import { eventLines, parseEvent } from './event-lines.ts';
import {
  type Milestones,
  type MilestoneType,
  type MoverEventOf,
  type ReachedMilestones,
  readMilestones,
  withEvent,
} from './milestones.ts';
import type { MoverExit, MoverProgram } from './mover-program.ts';

/** Called for every event in order; what it does must be quick. */
export type OnMoverEvent = (event: MoverEvent) => void;

/** How much of what a dying process says is kept. */
const lastWordsLimit = 2000;
/** How long one may take to end after the end of its output. */
const cutOffGraceMs = 15_000;

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
  readonly #program: MoverProgram;
  readonly #task: TaskSpec;
  readonly #onEvent: OnMoverEvent;
  #milestones: Milestones = {};
  #failure: HoldfastError | undefined;
  #lastWords = '';
  #changed = Promise.withResolvers<void>();
  /** Null until it has ended. */
  #exit: MoverExit | null = null;

  constructor(program: MoverProgram, task: TaskSpec, onEvent: OnMoverEvent) {
    this.#program = program;
    this.#task = task;
    this.#onEvent = onEvent;
    this.taskId = task.taskId;
    // What cannot be written to a mover that is gone shows by its end.
    program.stdin.on('error', () => {});
    program.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-lastWordsLimit);
    });
    this.exited = this.#follow();
    program.stdin.write(`${JSON.stringify(task)}\n`);
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
    this.#program.stdin.write(`${JSON.stringify(message)}\n`);
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
        const reached: ReachedMilestones = this.#milestones;
        const milestone: ReachedMilestones[Type] = reached[type];
        if (milestone !== undefined) return milestone;
        if (this.#milestones.result !== undefined || this.#exit !== null) throw this.#endedWithout(type);
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
    this.#program.kill();
    await this.exited;
  }

  async #follow(): Promise<MoverExit> {
    const ended = this.#program.ended.catch((error: unknown): MoverExit => {
      this.#failure ??= toHoldfastError(error);
      return { status: null, signal: null };
    });
    await this.#readEvents();
    await this.#killIfCutOff(ended);
    const exit = await ended;
    await this.#readResultFromFile();
    this.#exit = exit;
    this.#wake();
    return exit;
  }

  /** Where its connection broke, no message reaches it any more: unless it finishes alone, it is ended. */
  async #killIfCutOff(ended: Promise<unknown>): Promise<void> {
    const settled = new AbortController();
    const waiting = sleep(cutOffGraceMs, { signal: settled.signal }).then(
      () => true,
      () => false,
    );
    const isCutOff = await Promise.race([waiting, ended.then(() => false)]);
    settled.abort();
    if (!isCutOff) return;
    await this.#readResultFromFile();
    if (this.#milestones.committed === undefined) this.#program.kill();
  }

  async #readEvents(): Promise<void> {
    try {
      for await (const line of eventLines(this.#program.stdout)) this.#take(line);
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
    this.#program.kill();
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
    const { status = null, signal = null } = this.#exit ?? {};
    return new HoldfastError(
      'mover-lost',
      signal === null
        ? `The mover ended with status ${status ?? 'unknown'} and no result.`
        : `The mover was ended by ${signal}.`,
      {
        hint: 'Run the job again. Where memory is short, the system may have ended it: see the log of the kernel.',
        context: { exitStatus: status, signal },
      },
    );
  }
}
