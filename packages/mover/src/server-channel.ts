import { type Abortable, HoldfastError, toHoldfastError, wholeLines } from '@holdfast/base';
import { type MoverMessage, moverMessageSchema, type TaskSpec, taskSpecSchema } from '@holdfast/protocol';

/** A task lists every mount of an environment: far below this. */
const maxLineBytes = 16 * 1024 * 1024;

/**
 * The mover's end of its standard input: the task spec on the first line, then messages.
 *
 *     reading spec ──► waiting for go ──► (waiting for commit) ──► alone
 *           └────────────────┴── end of input, cancel or nonsense ──► `signal` fires
 *
 * Once `commit` came in or `finishAlone` was called, nothing that comes in or ends stops the work any more.
 */
export class ServerChannel {
  readonly #lines: AsyncGenerator<string, void, undefined>;
  readonly #abort = new AbortController();
  readonly #heard = { go: Promise.withResolvers<void>(), commit: Promise.withResolvers<void>() };
  #isAlone = false;

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
    void this.#listen();
    return parsed.data;
  }

  /** @throws the reason of `signal` when that fires first */
  async waitFor(message: 'go' | 'commit'): Promise<void> {
    await untilAborted(this.#heard[message].promise, this.#abort);
  }

  /** Asks for an end as `cancel` does: what a termination signal means. */
  cancel(): void {
    this.#stop(new HoldfastError('interrupted', 'The work was cancelled.'));
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
        this.#heard.go.resolve();
        return;
      case 'commit':
        // Already here: what comes right behind it must not find the task still waiting.
        this.#isAlone = true;
        this.#heard.commit.resolve();
        return;
      case 'cancel':
        this.cancel();
    }
  }

  #stop(reason: HoldfastError): void {
    if (!this.#isAlone) this.#abort.abort(reason);
  }
}

async function untilAborted(promise: Promise<void>, { signal }: Abortable): Promise<void> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
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
