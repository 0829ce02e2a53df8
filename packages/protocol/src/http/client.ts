import { z } from 'zod';
import { type ErrorReportBody, errorReportSchema } from '../error-report.ts';
import type { Route, RouteBody, RouteParams, RouteQuery, RouteResponse } from './route.ts';
import { apiPrefix, type RouteName, type Routes, routes } from './routes.ts';
import { serverSentEvents } from './server-sent-events.ts';

/** The server answered with an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly report: ErrorReportBody;

  constructor(status: number, report: ErrorReportBody) {
    super(report.message);
    this.status = status;
    this.report = report;
  }
}

type Field<Name extends string, Value> = Value extends undefined
  ? { readonly [K in Name]?: undefined }
  : { readonly [K in Name]: Value };

/** What a call takes: `params`, `query` and `body` as its route says, and a signal. */
export type CallOptions<R extends Route> = Field<'params', RouteParams<R>> & {
  readonly query?: RouteQuery<R> | undefined;
} & Field<'body', RouteBody<R>> & { readonly signal?: AbortSignal | undefined };

export interface ClientOptions {
  /** Scheme, host and port of the server. */
  readonly url: string;
  readonly token: string;
  readonly fetch?: typeof globalThis.fetch;
}

export interface Client {
  /**
   * @throws ApiError when the server answers with an error; TypeError when it cannot be reached
   */
  call<Name extends RouteName>(
    name: Name,
    options: CallOptions<Routes[Name]>,
  ): Promise<RouteResponse<Routes[Name]>>;
  /** The answer as it comes: of a route that another process answers. @throws as `call` */
  open<Name extends RouteName>(name: Name, options: CallOptions<Routes[Name]>): Promise<Response>;
  /** What `open` asks for, for whoever has another way to read much of it; an answer that is none is an `apiError`. */
  addressOf<Name extends RouteName>(name: Name, options: CallOptions<Routes[Name]>): RequestAddress;
  /** Sends a file, as it is: to a route that takes one. @throws as `call` */
  upload<Name extends RouteName>(
    name: Name,
    file: ReadableStream<Uint8Array> | Blob,
    options: CallOptions<Routes[Name]>,
  ): Promise<RouteResponse<Routes[Name]>>;
  /** Follows a streaming route until the server ends it. */
  stream<Name extends RouteName>(
    name: Name,
    options: CallOptions<Routes[Name]>,
  ): AsyncGenerator<RouteResponse<Routes[Name]>>;
}

export interface RequestAddress {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

interface RawOptions {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly file?: ReadableStream<Uint8Array> | Blob;
  readonly signal?: AbortSignal | undefined;
}

/** A typed client of the API; works wherever `fetch` does. */
export function createClient({ url, token, fetch = globalThis.fetch }: ClientOptions): Client {
  function addressOf(route: Route, options: RawOptions): RequestAddress {
    const other = route.handedOver ?? route.text ?? 'application/json';
    const accept = route.streams === true ? 'text/event-stream' : other;
    return { url: requestUrl(url, route, options), headers: { authorization: `Bearer ${token}`, accept } };
  }

  async function request(route: Route, options: RawOptions): Promise<Response> {
    const address = addressOf(route, options);
    const response = await fetch(address.url, {
      method: route.method,
      headers: {
        ...address.headers,
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.file === undefined ? {} : { 'content-type': 'application/octet-stream' }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.file === undefined ? {} : { body: options.file, duplex: 'half' }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (!response.ok) throw apiError(response.status, await response.text());
    return response;
  }

  return {
    async call(name, options) {
      const route: Route = routes[name];
      const response = await request(route, options);
      const answer: unknown = route.text === undefined ? await response.json() : await response.text();
      return route.response.parse(answer) as RouteResponse<Routes[typeof name]>;
    },
    open: async (name, options) => await request(routes[name], options),
    addressOf: (name, options) => addressOf(routes[name], options),
    async upload(name, file, options) {
      const route = routes[name];
      const response = await request(route, { ...options, file });
      return route.response.parse(await response.json()) as RouteResponse<Routes[typeof name]>;
    },
    async *stream(name, options) {
      const route = routes[name];
      const response = await request(route, options);
      if (response.body === null) return;
      for await (const data of serverSentEvents(response.body)) {
        yield route.response.parse(JSON.parse(data)) as RouteResponse<Routes[typeof name]>;
      }
    },
  };
}

const fieldsSchema = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.undefined()]).transform((value) => value?.toString()),
);

function requestUrl(base: string, route: Route, options: RawOptions): URL {
  const params = fieldsSchema.parse(options.params ?? {});
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  );
  const url = new URL(`${apiPrefix}${path}`, base);
  for (const [name, value] of Object.entries(fieldsSchema.parse(options.query ?? {}))) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}

/** What the server says with a status that is none of success. */
export function apiError(status: number, text: string): ApiError {
  const parsed = errorReportSchema.safeParse(parseJson(text));
  return new ApiError(
    status,
    parsed.success
      ? parsed.data
      : {
          code: 'internal',
          message: `The server answered ${status} with something else than JSON.`,
        },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
