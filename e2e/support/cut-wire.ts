import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A port of this machine in front of another: it can be gone for a while, as a server that nobody reaches any more. */
export class CutWire implements AsyncDisposable {
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  /** How much has passed towards the other side since it began. */
  sentBytes = 0;

  private constructor(target: URL) {
    this.#target = target;
  }

  static async open(target: URL): Promise<CutWire> {
    const wire = new CutWire(target);
    await wire.mend();
    return wire;
  }

  /** The target's address, through this port. */
  get url(): URL {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    return url;
  }

  /** Every connection breaks, and nobody answers. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  async mend(): Promise<void> {
    this.#server = createServer((incoming) => this.#join(incoming));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }

  #join(incoming: Socket): void {
    const outgoing = connect(Number(this.#target.port), this.#target.hostname);
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroySoon();
      });
    }
    incoming.on('data', (bytes: Buffer) => {
      this.sentBytes += bytes.length;
    });
    incoming.pipe(outgoing).pipe(incoming);
  }
}
