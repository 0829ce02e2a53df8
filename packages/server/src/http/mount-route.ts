import { HoldfastError } from '@holdfast/base';
import type { Route, RouteName } from '@holdfast/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendEvents } from './event-stream.ts';
import type { Call, HandOver } from './handler.ts';
import { fastifyPath, routeSchema } from './openapi.ts';
import { fileOf } from './request-file.ts';

/** What a handler is once its route is not known by name any more; its call was checked by the route's schemas. */
export type AnyHandler = (call: Call<Route>) => Promise<unknown>;

export interface MountRouteOptions {
  readonly app: FastifyInstance;
  readonly name: string;
  readonly route: Route;
  readonly handler: AnyHandler;
  /** Fires when the server stops. */
  readonly stopping: AbortSignal;
}

/** Routes that are served at the root too, where probes and Prometheus look for them. */
const rootRoutes: ReadonlySet<string> = new Set(['server.health', 'server.metrics'] satisfies RouteName[]);

/** Serves one route of the API. */
export function mountRoute({ app, name, route, handler, stopping }: MountRouteOptions): void {
  const definition = {
    method: route.method,
    config: { right: route.right },
    // Nothing strips the body of what is not answered through the framework.
    exposeHeadRoute: route.handedOver === undefined && route.streams !== true,
    ...(route.body === undefined ? {} : { preValidation: emptyBodyAsObject }),
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const signal = AbortSignal.any([signalOf(reply), stopping]);
      const answer = await handler(toCall(request, signal));
      if (route.handedOver !== undefined) {
        reply.hijack();
        (answer as HandOver)(request.raw.socket);
        return reply;
      }
      if (route.text !== undefined) reply.type(route.text);
      if (route.streams !== true) return await reply.code(route.status).send(answer);
      reply.hijack();
      await sendEvents(reply.raw, answer as AsyncIterable<unknown>, signal);
      return reply;
    },
  };
  const schema = routeSchema(name, route);
  app.route({ ...definition, url: fastifyPath(route), schema });
  if (rootRoutes.has(name)) app.route({ ...definition, url: route.path, schema: { ...schema, hide: true } });
}

function toCall(request: FastifyRequest, signal: AbortSignal): Call<Route> {
  const { params, query, body, caller } = request;
  return {
    // The types of a route's own call are those of the schemas that its request has just passed.
    params: params as never,
    query: query as never,
    body: body as never,
    file: fileOf(request, signal),
    caller: caller ?? { name: 'nobody', rights: [] },
    signal,
  };
}

/** Fires when the client has gone before it had its whole answer. */
function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new HoldfastError('interrupted', 'The client has gone.'));
  });
  return gone.signal;
}

/** A request that says nothing asks for what an empty object asks for. */
async function emptyBodyAsObject(request: FastifyRequest): Promise<void> {
  if (request.body === undefined || request.body === null) request.body = {};
}
