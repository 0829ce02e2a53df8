import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { HoldfastError, toHoldfastError, wholeLines } from '@holdfast/base';
import { type GateCommand, type GateEvent, gateCommandSchema } from '@holdfast/protocol';
import type { Gate } from './gate.ts';

const maxLineBytes = 64 * 1024;

export interface ControlServerOptions {
  readonly gate: Gate;
  /** Told when a hold begins or ends. */
  readonly onHold?: (() => void) | undefined;
}

/** Steers the gate by what comes over a socket in the file system; see `gateCommandSchema`. Whoever may open it may steer. */
export class ControlServer implements AsyncDisposable {
  readonly #path: string;
  readonly #server: Server;

  private constructor(path: string, server: Server) {
    this.#path = path;
    this.#server = server;
  }

  /** @throws Node's system errors */
  static async listen(path: string, options: ControlServerOptions): Promise<ControlServer> {
    // What an earlier process left behind: whether one still listens, the port of the gate has shown.
    await rm(path, { force: true });
    const server = createServer((socket) => void serve(socket, options));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return new ControlServer(path, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await rm(this.#path, { force: true });
  }
}

async function serve(socket: Socket, options: ControlServerOptions): Promise<void> {
  socket.on('error', () => {});
  const controller = new Controller(socket, options);
  try {
    for await (const line of wholeLines(socket, { maxLineBytes, tooLong: notUnderstood }))
      controller.take(line);
  } catch {
    // Something without an end to its lines: the connection is over.
  } finally {
    controller.end();
    socket.end();
  }
}

/** One connection; the hold that it began is its own. */
class Controller {
  readonly #socket: Socket;
  readonly #options: ControlServerOptions;
  #isHolding = false;

  constructor(socket: Socket, options: ControlServerOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  take(line: string): void {
    try {
      this.#perform(parse(line));
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.#send({ type: 'failed', error: toHoldfastError(error).toReport() });
  }

  end(): void {
    if (this.#isHolding) this.#options.gate.release('abandoned');
  }

  #perform(command: GateCommand): void {
    const { gate } = this.#options;
    if (command.type === 'status') this.#send({ type: 'status', ...gate.status });
    else if (command.type === 'hold') this.#hold(command);
    else if (this.#isHolding) gate.release('told');
    else throw new HoldfastError('gate-busy', 'The gate is not held by this connection.');
  }

  #hold({ limitMs, drainMs }: Extract<GateCommand, { type: 'hold' }>): void {
    const { gate, onHold } = this.#options;
    const { drained, released } = gate.hold({ limitMs, drainMs });
    this.#isHolding = true;
    onHold?.();
    void drained.then((inFlight) => this.#send({ type: 'held', inFlight }));
    void released.then((report) => {
      this.#isHolding = false;
      onHold?.();
      this.#send({ type: 'released', report });
    });
  }

  #send(event: GateEvent): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(event)}\n`);
  }
}

function parse(line: string): GateCommand {
  try {
    const parsed = gateCommandSchema.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data;
  } catch {
    // Not even JSON.
  }
  throw notUnderstood();
}

function notUnderstood(): HoldfastError {
  return new HoldfastError('usage-invalid', 'The gate does not understand this command.', {
    hint: 'It is steered by Holdfast itself; both have to be of the same version.',
  });
}
