import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

const headEnd = '\r\n\r\n';

/**
 * Stands between a server and the test bed's engine, and lists only containers that have a label. So a test can have the server
 * back up what there is, and leave alone what other tests made.
 */
export class OwnEngine implements AsyncDisposable {
  readonly path: string;
  readonly #server: Server;
  readonly #label: string;
  readonly #sockets = new Set<Socket>();

  private constructor(path: string, server: Server, label: string) {
    this.path = path;
    this.#server = server;
    this.#label = label;
  }

  /** @param label as `name=value` */
  static async open(socketPath: string, label: string): Promise<OwnEngine> {
    const server = createServer({ allowHalfOpen: true });
    const engine = new OwnEngine(socketPath, server, label);
    server.on('connection', (socket) => engine.#take(socket));
    server.listen(socketPath);
    await once(server, 'listening');
    return engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Each connection has one request, or one and the stream that it becomes. */
  #take(incoming: Socket): void {
    const target = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');
    const outgoing = connect({ path: target, allowHalfOpen: true });
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
    outgoing.pipe(incoming);
    let head = '';
    const onData = (bytes: Buffer): void => {
      head += bytes.toString('latin1');
      const end = head.indexOf(headEnd);
      if (end < 0) return;
      incoming.off('data', onData).pause();
      outgoing.write(this.#limited(head.slice(0, end)) + head.slice(end), 'latin1');
      incoming.pipe(outgoing);
    };
    incoming.on('data', onData);
  }

  #limited(head: string): string {
    const [first = '', ...headers] = head.split('\r\n');
    const [method = '', url = '', version = ''] = first.split(' ');
    const asked = headers.map((line) =>
      /^connection: keep-alive$/i.test(line) ? 'Connection: close' : line,
    );
    return [`${method} ${this.#filtered(url)} ${version}`, ...asked].join('\r\n');
  }

  #filtered(url: string): string {
    const { pathname, searchParams } = new URL(url, 'http://engine');
    if (!pathname.endsWith('/containers/json')) return url;
    const filters = JSON.parse(searchParams.get('filters') ?? '{}') as Record<string, unknown>;
    const labels = Array.isArray(filters.label) ? filters.label : Object.keys(filters.label ?? {});
    searchParams.set('filters', JSON.stringify({ ...filters, label: [...labels, this.#label] }));
    return `${pathname}?${searchParams}`;
  }
}
