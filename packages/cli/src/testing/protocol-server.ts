import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HoldfastError } from '@holdfast/base';
import {
  ApiError,
  apiPrefix,
  type Route,
  type RouteBody,
  type RouteName,
  type RouteQuery,
  type RouteResponse,
  type Routes,
  routes,
} from '@holdfast/protocol';

export interface RouteRequest<Name extends RouteName> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: RouteQuery<Routes[Name]>;
  readonly body: RouteBody<Routes[Name]>;
}

type Answer<Name extends RouteName> = Routes[Name] extends { streams: true }
  ? (request: RouteRequest<Name>) => AsyncIterable<RouteResponse<Routes[Name]>>
  : (request: RouteRequest<Name>) => RouteResponse<Routes[Name]> | Promise<RouteResponse<Routes[Name]>>;

export type Answers = { [Name in RouteName]?: Answer<Name> };

export interface ReceivedRequest {
  readonly name: RouteName;
  readonly params: Readonly<Record<string, string>>;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * A small server on a real socket that speaks the protocol's routes; `answers` says what. Requests are parsed by the
 * routes' own schemas, answers are checked by them; an `ApiError` that is thrown is answered as such. A stream that
 * throws breaks its connection.
 */
export class ProtocolServer implements AsyncDisposable {
  readonly received: ReceivedRequest[] = [];
  readonly token = 'a-token-of-the-test';
  readonly #answers: Answers;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  static async start(answers: Answers): Promise<ProtocolServer> {
    const server = new ProtocolServer(answers);
    await server.listen(0);
    return server;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '', this.url);
      const { name, params } = findRoute(request.method ?? '', url.pathname);
      if (request.headers.authorization !== `Bearer ${this.token}`) {
        throw new ApiError(401, { code: 'unauthenticated', message: 'The token is not known.' });
      }
      const route: Route = routes[name];
      const parsed = {
        params,
        query: route.query?.parse(Object.fromEntries(url.searchParams)),
        body:
          route.takesFile === true
            ? await bodyText(request)
            : route.body?.parse(JSON.parse(await bodyText(request))),
      };
      this.received.push({ name, ...parsed });
      const answer = this.#answers[name] as ((request: unknown) => unknown) | undefined;
      if (answer === undefined) throw new Error(`the test has no answer for ${name}`);
      if (route.streams === true) await sendEvents(response, route, answer(parsed) as AsyncIterable<unknown>);
      else sendJson(response, route.status, route.response.parse(await answer(parsed)));
    } catch (error) {
      if (response.headersSent) response.destroy();
      else if (error instanceof ApiError) sendJson(response, error.status, error.report);
      else sendJson(response, 500, new HoldfastError('internal', String(error)).toReport());
    }
  }
}

function findRoute(method: string, path: string): { name: RouteName; params: Record<string, string> } {
  for (const name of Object.keys(routes) as RouteName[]) {
    const pattern = (apiPrefix + routes[name].path).replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const match = new RegExp(`^${pattern}$`).exec(path);
    if (match === null || routes[name].method !== method) continue;
    const groups = Object.entries(match.groups ?? {});
    return {
      name,
      params: Object.fromEntries(groups.map(([key, value]) => [key, decodeURIComponent(value)])),
    };
  }
  throw new ApiError(404, { code: 'route-unknown', message: `There is no ${method} ${path}.` });
}

async function bodyText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function sendEvents(
  response: ServerResponse,
  route: Route,
  events: AsyncIterable<unknown>,
): Promise<void> {
  response.writeHead(route.status, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  for await (const event of events) {
    response.write(`data: ${JSON.stringify(route.response.parse(event))}\n\n`);
  }
  response.end();
}
