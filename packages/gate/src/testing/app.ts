import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** An app to stand before. It notes what reaches it. */
export class App implements AsyncDisposable {
  readonly server: Server;
  readonly seen: string[] = [];
  readonly connections = new Set<Duplex>();

  private constructor(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    this.server = createServer((request, response) => {
      this.seen.push(`${request.method} ${request.url}`);
      answer(request, response);
    });
    this.server.on('connection', (socket) => {
      this.connections.add(socket);
      socket.once('close', () => this.connections.delete(socket));
    });
  }

  static async start(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<App> {
    const app = new App(answer);
    await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
    return app;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${portOf(this.server)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const connection of this.connections) connection.destroy();
    await closed;
  }
}

export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('It does not listen.');
  return address.port;
}
