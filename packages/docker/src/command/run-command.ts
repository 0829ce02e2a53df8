import { PassThrough, type Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Abortable, HoldfastError, isHoldfastError, throwIfAborted } from '@holdfast/base';
import type { ContainerCalls } from '../engine-port/docker-engine.ts';
import type { ExecSession } from '../engine-port/exec-session.ts';
import { withinTime } from '../within-time.ts';
import { BoundedText } from './bounded-text.ts';
import { CommandWrapper, killAllWrapped, WrapperNotes } from './wrapper.ts';

/** The wrapper says at once who it is. */
const startMs = 15_000;
/** What a command left running may hold its output open for so long after its end. */
const outputGraceMs = 5_000;
const killMs = 15_000;
const noTimeLimitMs = 2 ** 31 - 1;

export interface CommandOptions extends Abortable {
  /** From its start to its end; then its process group is killed. */
  readonly timeoutMs: number;
  /** `NAME=value`, beside the container's own. */
  readonly environment?: readonly string[];
  /**
   * The command sees the end of its input only after `completeInput`: if whoever feeds it dies before, all of it is
   * killed instead. Default: it sees whatever end there is.
   */
  readonly guardsInput?: boolean;
}

export interface CommandEnd {
  /** As a shell tells it: 128 and the signal's number for one that a signal ended. */
  readonly exitCode: number;
  readonly durationMs: number;
  /** Standard error, its head and its tail. */
  readonly errors: string;
}

/**
 * A command that runs inside a container, with everything that it started in one process group. A time-out, the signal
 * and disposing kill that group, before its input or output is closed.
 */
export interface RunningCommand extends AsyncDisposable {
  readonly stdin: Writable;
  /** To be read to its end, which comes before `ended`; what is not read holds the command up. */
  readonly stdout: Readable;
  /** What came on standard error so far, its head and its tail. */
  readonly errors: string;
  /** All of a guarded input was written: lets the command see its end. */
  completeInput(): Promise<void>;
  /**
   * Resolves whatever the exit code is. Rejects with `command-timeout`, `interrupted`, `command-left-running`,
   * `container-unknown`, `docker-unreachable`.
   */
  readonly ended: Promise<CommandEnd>;
}

type Containers = Pick<ContainerCalls, 'exec'>;

/**
 * Runs a line of shell in a container, which has to have `/bin/sh`.
 * @throws HoldfastError `command-not-started`, `container-unknown`, `container-not-running`, `docker-unreachable`
 */
export async function startCommand(
  containers: Containers,
  container: string,
  command: string,
  options: CommandOptions,
): Promise<RunningCommand> {
  throwIfAborted(options.signal);
  const wrapper = new CommandWrapper();
  const session = await containers.exec(container, {
    command: options.guardsInput === true ? wrapper.runGuarded(command) : wrapper.run(command),
    environment: options.environment ?? [],
    timeoutMs: noTimeLimitMs,
  });
  return await new WrappedCommand({ containers, container, wrapper, session, options }).start();
}

/**
 * Kills what commands of runs before this left in a container, because whoever ran them was killed. Answers how many
 * there were. Nobody else's command may run there now.
 * @throws HoldfastError as `startCommand`
 */
export async function killLeftCommands(
  containers: Containers,
  container: string,
  { signal }: Abortable = {},
): Promise<number> {
  await using session = await containers.exec(container, {
    command: killAllWrapped,
    timeoutMs: killMs,
    signal,
  });
  session.stderr.resume();
  const count = Number(await text(session.stdout));
  await session.exitCode;
  return Number.isInteger(count) ? count : 0;
}

interface WrappedCommandParts {
  readonly containers: Containers;
  readonly container: string;
  readonly wrapper: CommandWrapper;
  readonly session: ExecSession;
  readonly options: CommandOptions;
}

class WrappedCommand implements RunningCommand {
  readonly stdout = new PassThrough();
  readonly ended: Promise<CommandEnd>;
  readonly #parts: WrappedCommandParts;
  readonly #errors = new BoundedText();
  readonly #startedAt = performance.now();
  readonly #group = Promise.withResolvers<number>();
  /** Undefined where it ended without reading its input to the end. */
  readonly #feeder = Promise.withResolvers<number | undefined>();
  readonly #end = Promise.withResolvers<CommandEnd>();
  #hasExited = false;
  #isOver = false;

  constructor(parts: WrappedCommandParts) {
    this.#parts = parts;
    this.ended = this.#end.promise;
    // Who awaits them has them.
    for (const promise of [this.ended, this.#group.promise]) promise.catch(() => {});
    this.stdout.on('error', () => {});
    const onEnd = (): void => this.#feeder.resolve(undefined);
    this.ended.then(onEnd, onEnd);
  }

  get stdin(): Writable {
    return this.#parts.session.stdin;
  }

  get errors(): string {
    return this.#errors.toString();
  }

  async completeInput(): Promise<void> {
    const { containers, container, wrapper } = this.#parts;
    this.stdin.end();
    const feeder = await this.#feeder.promise;
    if (feeder === undefined) return;
    await using confirming = await containers.exec(container, {
      command: wrapper.confirm(feeder),
      timeoutMs: killMs,
    });
    confirming.stdout.resume();
    confirming.stderr.resume();
    await confirming.exitCode;
  }

  async start(): Promise<RunningCommand> {
    const { session, wrapper, options } = this.#parts;
    const notes = new WrapperNotes(wrapper.name, (note) => {
      if ('feeder' in note) this.#feeder.resolve(note.feeder);
      else this.#exited();
    });
    session.stderr.on('data', (bytes: Buffer) => this.#errors.add(notes.take(bytes)));
    void this.#passOutput(session.stdout);
    session.exitCode.then(
      (exitCode) => void this.#finish(exitCode),
      (error: unknown) => this.#fail(error),
    );
    try {
      const onTimeout = (): HoldfastError => this.#notStarted();
      await withinTime({ timeoutMs: startMs, onTimeout }, () => this.#group.promise);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    const timer = setTimeout(() => void this.#kill(this.#tookTooLong()), options.timeoutMs);
    const onAbort = (): void => void this.#kill(interruption(options.signal));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted) onAbort();
    void this.ended
      .catch(() => {})
      .finally(() => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
      });
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill(new HoldfastError('interrupted', 'The command was left before its end.'));
  }

  /** Takes the first line off it. Waits for nothing else there, as long as the output is not read. */
  async #passOutput(output: Readable): Promise<void> {
    let head = Buffer.alloc(0);
    try {
      for await (const piece of output.iterator({ destroyOnReturn: false })) {
        head = Buffer.concat([head, piece]);
        const end = head.indexOf('\n');
        const group = this.#parts.wrapper.groupIn(head.toString('utf8', 0, Math.max(end, 0)));
        if (group !== undefined) {
          this.#group.resolve(group);
          this.stdout.write(head.subarray(end + 1));
          output.pipe(this.stdout);
          return;
        }
        if (end !== -1) break;
      }
    } catch {
      // Why it broke off, the exit code's promise tells.
    }
    // The engine's own message, say that there is no shell.
    this.#errors.add(head);
    output.resume();
    this.stdout.end();
  }

  async #finish(exitCode: number): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const durationMs = performance.now() - this.#startedAt;
    this.#group.reject(this.#notStarted(exitCode));
    try {
      // The engine ends the output soon after the command, whoever still writes to it.
      if (await this.#killGroup(await this.#group.promise)) throw this.#leftRunning();
      this.#end.resolve({ exitCode, durationMs, errors: this.#errors.toString() });
    } catch (error) {
      const isContainerGone = !isHoldfastError(error, 'command-left-running');
      if (isContainerGone && exitCode !== 0)
        this.#end.resolve({ exitCode, durationMs, errors: this.#errors.toString() });
      else this.#end.reject(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#group.reject(error);
    this.stdout.destroy(error instanceof Error ? error : undefined);
    this.#end.reject(error);
  }

  /** Something that the command started may go on and hold its output open, for ever. */
  #exited(): void {
    this.#hasExited = true;
    setTimeout(() => void this.#kill(this.#leftRunning()), outputGraceMs).unref();
  }

  /** Kills what is left of the group; false if there is nothing. */
  async #killGroup(group: number): Promise<boolean> {
    const { containers, container, wrapper } = this.#parts;
    const command = wrapper.kill(group, this.#hasExited);
    await using killing = await containers.exec(container, { command, timeoutMs: killMs });
    killing.stdout.resume();
    killing.stderr.resume();
    return (await killing.exitCode) === 0;
  }

  /** First the group, then the streams: nobody takes a broken stream for a complete one. */
  async #kill(reason: HoldfastError): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const { session } = this.#parts;
    try {
      await this.#killGroup(await this.#group.promise);
    } catch {
      // The container is gone, and the command with it, or the engine is: the streams are broken off in any case.
    } finally {
      this.stdout.destroy(reason);
      await session[Symbol.asyncDispose]();
      this.#end.reject(reason);
    }
  }

  #notStarted(exitCode?: number): HoldfastError {
    return new HoldfastError('command-not-started', `No command can be run in ${this.#parts.container}.`, {
      hint: 'The container has to run, and to have a /bin/sh.',
      context: { exitCode: exitCode ?? null, errors: this.#errors.toString().slice(0, 1000) },
    });
  }

  #tookTooLong(): HoldfastError {
    const seconds = Math.round(this.#parts.options.timeoutMs / 1000);
    return new HoldfastError(
      'command-timeout',
      `The command did not end within ${seconds} s and was killed.`,
      {
        hint: 'Allow it more time, or see why it hangs.',
        context: { errors: this.#errors.toString().slice(-1000) },
      },
    );
  }

  #leftRunning(): HoldfastError {
    return new HoldfastError(
      'command-left-running',
      'The command ended, but something that it started went on and kept its output open.',
      { hint: 'Let the command wait for what it starts, or send the output of that elsewhere.' },
    );
  }
}

function interruption(signal: AbortSignal | undefined): HoldfastError {
  const { reason } = signal ?? {};
  return reason instanceof HoldfastError
    ? reason
    : new HoldfastError('interrupted', 'The work was interrupted.', { cause: reason });
}
