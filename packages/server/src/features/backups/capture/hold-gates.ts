import { type Abortable, HoldfastError, untilAborted, wholeLines } from '@holdfast/base';
import type { ContainerCalls, ExecSession } from '@holdfast/docker';
import { type GateCommand, type GateEvent, type GateHoldReport, gateEventSchema } from '@holdfast/protocol';

/** What steers a gate, in its container. */
const controlCommand = ['holdfast', 'gate', 'control'];
const maxLineBytes = 64 * 1024;
/** A gate answers at once, but for its drain time. */
const answerMs = 3000;

export interface GateContainer {
  readonly containerId: string;
  readonly name: string;
}

export interface OpenGatesOptions extends Abortable {
  readonly containers: Pick<ContainerCalls, 'exec'>;
  /** After so long each gate releases by itself, whoever is dead by then. */
  readonly limitMs: number;
  /** How long requests that are under way may take to end. */
  readonly drainMs: number;
}

/** What gates held, all together. */
export interface HeldRequests {
  readonly requestsHeld: number;
  readonly longestWaitMs: number;
}

/** Gates that can be told to hold, by connections that are open already. Disposing lets go on what waits. */
export class Gates implements AsyncDisposable {
  readonly #gates: readonly SteeredGate[];
  readonly #options: OpenGatesOptions;

  private constructor(gates: readonly SteeredGate[], options: OpenGatesOptions) {
    this.#gates = gates;
    this.#options = options;
  }

  /** @throws HoldfastError `gate-unreachable` */
  static async open(gates: readonly GateContainer[], options: OpenGatesOptions): Promise<Gates> {
    const opened: SteeredGate[] = [];
    const all = new Gates(opened, options);
    try {
      for (const gate of gates) opened.push(await SteeredGate.open(gate, options));
      return all;
    } catch (error) {
      await all[Symbol.asyncDispose]();
      throw error;
    }
  }

  get names(): readonly string[] {
    return this.#gates.map(({ name }) => name);
  }

  /**
   * From now on new requests wait; resolves once those under way have ended, or the drain time is over: with how many
   * are under way still. @throws HoldfastError `gate-unreachable`, or what a gate refused it with
   */
  async hold(): Promise<number> {
    const { limitMs, drainMs } = this.#options;
    const left = await Promise.all(this.#gates.map((gate) => gate.hold({ limitMs, drainMs })));
    return left.reduce((sum, inFlight) => sum + inFlight, 0);
  }

  /** Lets everything go on. Undefined where no gate tells what it held. */
  async release(): Promise<HeldRequests | undefined> {
    const reports = (await Promise.all(this.#gates.map((gate) => gate.release()))).filter(
      (report) => report !== undefined,
    );
    if (reports.length === 0) return undefined;
    return {
      requestsHeld: reports.reduce((sum, { heldRequests }) => sum + heldRequests, 0),
      longestWaitMs: Math.max(...reports.map(({ longestWaitMs }) => longestWaitMs)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#gates.map((gate) => gate[Symbol.asyncDispose]()));
  }
}

class SteeredGate implements AsyncDisposable {
  readonly name: string;
  readonly #session: ExecSession;
  readonly #events: AsyncGenerator<GateEvent, void, undefined>;
  #isHolding = false;

  private constructor(name: string, session: ExecSession) {
    this.name = name;
    this.#session = session;
    this.#events = readEvents(session);
    session.stderr.resume();
  }

  static async open(
    { containerId, name }: GateContainer,
    { containers, limitMs, drainMs, signal }: OpenGatesOptions,
  ): Promise<SteeredGate> {
    const timeoutMs = limitMs + drainMs + 60_000;
    const session = await containers.exec(containerId, { command: controlCommand, timeoutMs, signal });
    const gate = new SteeredGate(name, session);
    try {
      // It answers: what it is told to hold later, it will.
      gate.#send({ type: 'status' });
      await gate.#next('status', answerMs);
      return gate;
    } catch (error) {
      await gate[Symbol.asyncDispose]();
      throw error;
    }
  }

  async hold({ limitMs, drainMs }: { limitMs: number; drainMs: number }): Promise<number> {
    this.#isHolding = true;
    this.#send({ type: 'hold', limitMs: Math.ceil(limitMs), drainMs: Math.ceil(drainMs) });
    return (await this.#next('held', drainMs + answerMs)).inFlight;
  }

  /** Its deadline releases it too, so that no answer is no failure. */
  async release(): Promise<GateHoldReport | undefined> {
    if (!this.#isHolding) return undefined;
    this.#isHolding = false;
    this.#send({ type: 'release' });
    try {
      return (await this.#next('released', answerMs)).report;
    } catch {
      return undefined;
    }
  }

  /** The end of its input releases a gate that still holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.stdin.end();
    await this.#session[Symbol.asyncDispose]();
  }

  #send(command: GateCommand): void {
    this.#session.stdin.write(`${JSON.stringify(command)}\n`);
  }

  async #next<Type extends GateEvent['type']>(
    type: Type,
    withinMs: number,
  ): Promise<Extract<GateEvent, { type: Type }>> {
    try {
      for (;;) {
        const { value } = await untilAborted(this.#events.next(), { signal: AbortSignal.timeout(withinMs) });
        if (value === undefined) throw new Error('it went away');
        if (value.type === 'failed') throw HoldfastError.fromReport(value.error);
        if (value.type === type) return value as Extract<GateEvent, { type: Type }>;
      }
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'gate-busy') throw error;
      throw unreachable(this.name, error);
    }
  }
}

async function* readEvents({ stdout }: ExecSession): AsyncGenerator<GateEvent, void, undefined> {
  for await (const line of wholeLines(stdout, {
    maxLineBytes,
    tooLong: notUnderstood,
  })) {
    yield gateEventSchema.parse(JSON.parse(line));
  }
}

function unreachable(name: string, cause: unknown): HoldfastError {
  return new HoldfastError('gate-unreachable', `The gate ${name} does not answer.`, {
    hint: 'See its log. It has to run "holdfast gate", of the same version as this server; without the label holdfast.gate it is left alone.',
    context: { container: name },
    cause,
  });
}

function notUnderstood(): HoldfastError {
  return new HoldfastError('usage-invalid', 'What the gate answers is not understood.');
}
