import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { HoldfastError, toHoldfastError, wholeLines } from '@holdfast/base';
import { type GateCommand, type GateEvent, gateCommandSchema } from '@holdfast/protocol';
import type { Gate } from './gate.ts';

const maxLineBytes = 64 * 1024;

/** Steers the gate by what comes over a socket in the file system; see `gateCommandSchema`. Whoever may open it may steer. */
export class ControlServer implements AsyncDisposable {
  readonly #path: string;
  readonly #server: Server;

  private constructor(path: string, server: Server) {
    this.#path = path;
    this.#server = server;
  }

  /** @throws Node's system errors */
  static async listen(path: string, gate: Gate): Promise<ControlServer> {
    // What an earlier process left behind: whether one still listens, the port of the gate has shown.
    await rm(path, { force: true });
    const server = createServer((socket) => void serve(socket, gate));
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

async function serve(socket: Socket, gate: Gate): Promise<void> {
  socket.on('error', () => {});
  const controller = new Controller(socket, gate);
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
  readonly #gate: Gate;
  #isHolding = false;

  constructor(socket: Socket, gate: Gate) {
    this.#socket = socket;
    this.#gate = gate;
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
    if (this.#isHolding) this.#gate.release('abandoned');
  }

  #perform(command: GateCommand): void {
    if (command.type === 'status') this.#send({ type: 'status', ...this.#gate.status });
    else if (command.type === 'hold') this.#hold(command);
    else if (this.#isHolding) this.#gate.release('told');
    else throw new HoldfastError('gate-busy', 'The gate is not held by this connection.');
  }

  #hold({ limitMs, drainMs }: Extract<GateCommand, { type: 'hold' }>): void {
    const { drained, released } = this.#gate.hold({ limitMs, drainMs });
    this.#isHolding = true;
    void drained.then((inFlight) => this.#send({ type: 'held', inFlight }));
    void released.then((report) => {
      this.#isHolding = false;
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
