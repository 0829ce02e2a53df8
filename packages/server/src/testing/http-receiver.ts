import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status, with a body; `silent` never answers. */
export type Reply = number | 'silent' | { readonly status: number; readonly body: string };

export interface HttpReceiver extends AsyncDisposable {
  readonly origin: string;
  readonly received: readonly Received[];
}

/** A real HTTP server on loopback that keeps what it gets. @param replies in order, the last one again and again */
export async function openHttpReceiver(...replies: readonly Reply[]): Promise<HttpReceiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const { method = '', url = '', headers } = request;
      received.push({ method, path: url, headers, body: await text(request) });
      const reply = replies[Math.min(received.length, replies.length) - 1] ?? 200;
      if (reply === 'silent') return;
      const { status, body } = typeof reply === 'number' ? { status: reply, body: '' } : reply;
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(body);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
