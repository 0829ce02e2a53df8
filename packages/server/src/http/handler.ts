import type { Socket } from 'node:net';
import type { Right, Route, RouteName, RouteResponse, Routes } from '@holdfast/protocol';
import type { z } from 'zod';

/** Who sends a request, proven by a token. */
export interface Caller {
  readonly name: string;
  readonly rights: readonly Right[];
}

type Checked<Shape> = Shape extends z.ZodType ? z.output<Shape> : undefined;

/** A request that was authenticated, is allowed, and has the shape that its route says. */
export interface Call<R extends Route> {
  readonly params: Checked<R['params']>;
  readonly query: Checked<R['query']>;
  readonly body: Checked<R['body']>;
  /** The body of a request that is a file; its bytes come as fast as they are taken. */
  readonly file: AsyncIterable<Uint8Array>;
  readonly caller: Caller;
  /** Fires when the client goes away or the server stops. */
  readonly signal: AbortSignal;
}

/** Takes the connection of a request whose body was read, and sees to it that it is answered and ended. */
export type HandOver = (connection: Socket) => void;

type Answer<R extends Route> = R extends { readonly handedOver: string }
  ? HandOver
  : R extends { readonly streams: true }
    ? AsyncIterable<RouteResponse<R>>
    : RouteResponse<R>;

/** Does what a route promises; a failure is a throw of `HoldfastError`. */
export type Handler<R extends Route> = (call: Call<R>) => Promise<Answer<R>>;

/** One handler for each route of the API. */
export type Handlers = { readonly [Name in RouteName]: Handler<Routes[Name]> };

/** The handlers that one feature brings. */
export type HandlersOf<Name extends RouteName> = Pick<Handlers, Name>;
