import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * - a status: the answer, with that code as S3 gives it
 * - `reset`: the connection is cut before the answer
 * - `answer-lost`: the server did it, and the connection is cut before the answer
 * - `hang`: no answer comes
 * - `hang-midway`: half of the body comes, and then nothing
 * - `truncated`: half of the body comes, then the connection is cut
 * - `flipped`: one bit of the answer's body, or of the request's (`flipped-request`), is wrong
 */
export type ProxyEffect =
  | { readonly status: number; readonly code: string }
  | 'reset'
  | 'answer-lost'
  | 'hang'
  | 'hang-midway'
  | 'truncated'
  | 'flipped'
  | 'flipped-request';

export interface ProxyFault {
  readonly method?: string;
  /** Of the path with its query. */
  readonly path?: RegExp;
  /** How many of the requests that fit; all of them without it. */
  readonly times?: number;
  readonly effect: ProxyEffect;
}

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
}

/** An HTTP server on loopback, in front of another on loopback, that spoils some of what passes. */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: URL;
  #faults: { fault: ProxyFault; left: number; uses: number }[] = [];
  /** Every request that came, spoiled or not. */
  readonly requests: ProxiedRequest[] = [];

  private constructor(target: URL, server: Server) {
    this.#target = target;
    this.#server = server;
  }

  static async start(target: URL): Promise<FaultProxy> {
    const server = createServer();
    const proxy = new FaultProxy(target, server);
    server.on('request', (incoming, answer) => {
      proxy.#pass(incoming, answer).catch(() => incoming.socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** What goes wrong from now on; the first fault that fits a request is what happens to it. */
  set faults(faults: readonly ProxyFault[]) {
    this.#faults = faults.map((fault) => ({ fault, left: fault.times ?? Infinity, uses: 0 }));
  }

  /** Faults that no request met, or too few. */
  get unused(): ProxyFault[] {
    return this.#faults.filter(({ fault, uses }) => uses < (fault.times ?? 1)).map(({ fault }) => fault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = incoming;
    this.requests.push({ method, path });
    const effect = this.#effectOf({ method, path });
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (effect === 'reset') return void incoming.socket.resetAndDestroy();
    if (effect === 'hang') return;
    if (typeof effect === 'object') {
      answer.writeHead(effect.status, { 'content-type': 'application/xml' });
      answer.end(`<?xml version="1.0"?><Error><Code>${effect.code}</Code><Message>-</Message></Error>`);
      return;
    }
    await this.#forward(incoming, answer, { body: effect === 'flipped-request' ? flip(body) : body, effect });
  }

  async #forward(
    { method, url, headers }: IncomingMessage,
    answer: ServerResponse,
    { body, effect }: { readonly body: Buffer; readonly effect: ProxyEffect | undefined },
  ): Promise<void> {
    // The host stays the one that was signed.
    const { hostname, port } = this.#target;
    const outgoing = request({ hostname, port, method, path: url, headers, agent: false });
    outgoing.end(body);
    const [reply] = (await once(outgoing, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of reply) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (effect === 'answer-lost') return void answer.socket?.destroy();
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    if (effect === 'truncated' || effect === 'hang-midway') {
      answer.write(bytes.subarray(0, bytes.length >> 1), () => {
        if (effect === 'truncated') answer.socket?.destroy();
      });
      return;
    }
    answer.end(effect === 'flipped' ? flip(bytes) : bytes);
  }

  #effectOf({ method, path }: ProxiedRequest): ProxyEffect | undefined {
    const found = this.#faults.find(
      ({ fault, left }) =>
        left > 0 && (fault.method ?? method) === method && (fault.path?.test(path) ?? true),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    found.uses += 1;
    return found.fault.effect;
  }
}

function flip(bytes: Buffer): Buffer {
  const flipped = Buffer.from(bytes);
  const middle = flipped.length >> 1;
  if (flipped.length > 0) flipped.writeUInt8(flipped.readUInt8(middle) ^ 1, middle);
  return flipped;
}
