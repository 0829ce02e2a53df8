import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { eventually } from './process.ts';

interface Message {
  readonly event: string;
  readonly environment?: { readonly name: string } | null;
}

/** Whom a webhook tells: a server on loopback that keeps what comes. */
export class MessageReceiver implements AsyncDisposable {
  readonly #server: Server;
  readonly #messages: Message[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<MessageReceiver> {
    const server = createServer();
    const receiver = new MessageReceiver(server);
    server.on('request', (request, response) => {
      void text(request).then((body) => {
        receiver.#messages.push(JSON.parse(body) as Message);
        response.writeHead(200).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** As `backup.failed of NAME`, in the order in which they came: after a moment in which a late one may still come. */
  async events(): Promise<readonly string[]> {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return this.#events();
  }

  async untilEvent(event: string): Promise<void> {
    await eventually(event, () => this.#events().includes(event));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #events(): readonly string[] {
    return this.#messages.map(({ event, environment }) => `${event} of ${environment?.name ?? 'all'}`);
  }
}
