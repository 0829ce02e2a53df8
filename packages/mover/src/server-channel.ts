import { type Abortable, HoldfastError, toHoldfastError, untilAborted, wholeLines } from '@holdfast/base';
import {
  type FreezeFacts,
  type MoverMessage,
  moverMessageSchema,
  type TaskSpec,
  taskSpecSchema,
} from '@holdfast/protocol';

/** A task lists every mount of an environment: far below this. */
const maxLineBytes = 16 * 1024 * 1024;

/** What each message that is waited for says. */
interface Heard {
  readonly go: undefined;
  readonly frozen: undefined;
  readonly thawed: undefined;
  readonly live: undefined;
  readonly commit: FreezeFacts | undefined;
}

/**
 * The mover's end of its standard input: the task spec on the first line, then messages.
 *
 *     reading spec ──► go ──► [frozen ──► thawed, or live] ──► (commit) ──► alone
 *           └──────────┴─────────────── end of input, cancel or nonsense ──► `signal` fires
 *
 * Once `commit` came in or `finishAlone` was called, nothing that comes in or ends stops the work any more; but a feeding
 * can be cancelled to its end, and a forgetting between two backups.
 */
export class ServerChannel {
  readonly #lines: AsyncGenerator<string, void, undefined>;
  readonly #abort = new AbortController();
  readonly #heard = {
    go: Promise.withResolvers<undefined>(),
    frozen: Promise.withResolvers<undefined>(),
    thawed: Promise.withResolvers<undefined>(),
    live: Promise.withResolvers<undefined>(),
    commit: Promise.withResolvers<FreezeFacts | undefined>(),
  };
  #isAlone = false;
  #staysCancellable = false;

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#lines = wholeLines(input, { maxLineBytes, tooLong });
  }

  /** Fires with a `HoldfastError` as its reason: `interrupted` when cancelled, `server-lost` at the input's end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Reads the first line, and listens for messages from then on.
   * @throws HoldfastError `usage-invalid` when it is no task; the message never repeats what it holds
   */
  async readTask(): Promise<TaskSpec> {
    const first = await this.#lines.next();
    const parsed = taskSpecSchema.safeParse(first.done === true ? undefined : parseJson(first.value));
    if (!parsed.success) {
      const fields = parsed.error.issues.map((issue) => issue.path.join('.') || '(whole line)');
      throw new HoldfastError('usage-invalid', 'The first line of the input is not a task for this mover.', {
        hint: 'Server and mover have to be of the same version.',
        context: { fields: fields.slice(0, 20) },
      });
    }
    this.#staysCancellable = parsed.data.kind === 'feed' || parsed.data.kind === 'forget';
    void this.#listen();
    return parsed.data;
  }

  /** @throws the reason of `signal` when that, or the given one, fires first */
  async waitFor<Type extends keyof Heard>(
    message: Type,
    { signal = this.signal }: Abortable = {},
  ): Promise<Heard[Type]> {
    return (await untilAborted<Heard[keyof Heard]>(this.#heard[message].promise, { signal })) as Heard[Type];
  }

  /** Asks for an end as `cancel` does: what a termination signal means. */
  cancel(): void {
    const reason = new HoldfastError('interrupted', 'The work was cancelled.');
    if (this.#staysCancellable) this.#abort.abort(reason);
    else this.#stop(reason);
  }

  /** From here on the work is brought to its end, whatever comes in. */
  finishAlone(): void {
    this.#isAlone = true;
  }

  async #listen(): Promise<void> {
    try {
      for await (const line of this.#lines) this.#take(moverMessageSchema.parse(JSON.parse(line)));
      this.#stop(new HoldfastError('server-lost', 'The server went away before the work could count.'));
    } catch (error) {
      this.#stop(toHoldfastError(error));
    }
  }

  #take(message: MoverMessage): void {
    switch (message.type) {
      case 'go':
      case 'frozen':
      case 'thawed':
      case 'live':
        this.#heard[message.type].resolve(undefined);
        return;
      case 'commit':
        // Already here: what comes right behind it must not find the task still waiting.
        this.#isAlone = true;
        this.#heard.commit.resolve(message.capture);
        return;
      case 'cancel':
        this.cancel();
    }
  }

  #stop(reason: HoldfastError): void {
    if (!this.#isAlone) this.#abort.abort(reason);
  }
}

function tooLong(): HoldfastError {
  return new HoldfastError('usage-invalid', `A line of the input is longer than ${maxLineBytes} bytes.`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
