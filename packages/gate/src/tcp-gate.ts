import { connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Gate } from './gate.ts';

/** What a connection that waits takes; what its client sends meanwhile stays in the kernel. */
const waitingBytes = 4 * 1024;

export interface TcpGateOptions {
  readonly gate: Gate;
  readonly target: { readonly host: string; readonly port: number };
}

/**
 * Passes connections on as they are. While its gate holds, new ones wait. Those that are there already are not waited
 * for: nobody can tell when something of another protocol has ended.
 */
export class TcpGate {
  readonly server: Server;
  readonly #gate: Gate;
  readonly #target: TcpGateOptions['target'];

  constructor({ gate, target }: TcpGateOptions) {
    this.#gate = gate;
    this.#target = target;
    const options = { pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true };
    this.server = createServer(options, (client) => void this.#onConnection(client));
  }

  close(): void {
    this.server.close();
  }

  async #onConnection(client: Socket): Promise<void> {
    // What goes wrong with a connection ends it, which the other side sees.
    client.on('error', () => {});
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    client.once('close', leave);
    const passage = this.#gate.tryToPass();
    const admission =
      passage === undefined
        ? await this.#gate.wait({ bytes: waitingBytes, gone: gone.signal })
        : ({ outcome: 'passed', passage } as const);
    client.off('close', leave);
    if (admission.outcome !== 'passed') {
      // Not an end that might look like an answer.
      client.resetAndDestroy();
      return;
    }
    admission.passage.end();
    await this.#join(client);
  }

  async #join(client: Socket): Promise<void> {
    const app = connect({ ...this.#target, allowHalfOpen: true, noDelay: true, keepAlive: true });
    app.on('error', () => {});
    const ways = await Promise.allSettled([pipeline(client, app), pipeline(app, client)]);
    if (ways.some(({ status }) => status === 'rejected')) {
      client.resetAndDestroy();
      app.destroy();
    }
  }
}
