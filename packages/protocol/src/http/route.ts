import type { z } from 'zod';

/** Every right there is. A token holds a set of them; every route but `/healthz` names the one that it needs. */
export const rights = [
  'environment:read',
  'environment:write',
  'backup:read',
  'backup:create',
  'backup:delete',
  'backup:restore',
  'backup:download',
  'backup:import',
  'job:read',
  'job:cancel',
  'vault:read',
  'vault:write',
  'vault:open',
  'node:read',
  'node:write',
  'notification:read',
  'notification:write',
  'server:read',
] as const;

export type Right = (typeof rights)[number];

type Shape = z.ZodObject;

/**
 * One operation of the HTTP API. The server, the typed client and the OpenAPI document are all made from it,
 * so they cannot disagree.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, with `{name}` for parameters. */
  readonly path: string;
  /** Null only where no token is needed: there is nothing to protect, or the path itself proves that it may be called. */
  readonly right: Right | null;
  readonly summary: string;
  readonly params?: Shape;
  readonly query?: Shape;
  readonly body?: Shape;
  /** True when the body is a file: as it is, or as the one file of a form. */
  readonly takesFile?: true;
  /** The status of success: 202 where a job was started. */
  readonly status: 200 | 202;
  readonly response: z.ZodType;
  /** True when the response is a stream of server-sent events, each with one `response` as data. */
  readonly streams?: true;
  /** The media type of an answer that is text, and no JSON; `response` is a string then. */
  readonly text?: string;
  /** The media type of an answer that is none of the server's own: another process writes it to the connection. */
  readonly handedOver?: string;
}

/** Keeps the literal types of a route. */
export function route<const R extends Route>(definition: R): R {
  return definition;
}

export type RouteParams<R extends Route> = R['params'] extends Shape ? z.input<R['params']> : undefined;
export type RouteQuery<R extends Route> = R['query'] extends Shape ? z.input<R['query']> : undefined;
export type RouteBody<R extends Route> = R['body'] extends Shape ? z.input<R['body']> : undefined;
export type RouteResponse<R extends Route> = z.output<R['response']>;
