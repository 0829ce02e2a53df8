import { randomBytes } from 'node:crypto';
import swagger from '@fastify/swagger';
import { HoldfastError } from '@holdfast/base';
import { routes as allRoutes, type Route, type RouteName } from '@holdfast/protocol';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { answerError, pathOf } from './answer-error.ts';
import { type Authenticate, requireCaller, requireRight } from './authentication.ts';
import type { Caller, Handlers } from './handler.ts';
import { requireLoopbackHost } from './host-check.ts';
import { type AnyHandler, mountRoute } from './mount-route.ts';
import { openapiOptions } from './openapi.ts';
import { acceptFiles, dropRest } from './request-file.ts';

const bodyLimitBytes = 1024 * 1024;
/** A link to a download has all in it that is to be sent. */
const mostParamLength = 8000;
/** Routes that need no token. */
const openRoutes: ReadonlySet<string> = new Set(['server.health', 'backup.linked'] satisfies RouteName[]);

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Null for the one route that needs no token; undefined where there is no route. */
    right?: Route['right'];
  }
  interface FastifyRequest {
    /** Null before a token was found, and where none is needed. */
    caller: Caller | null;
  }
}

export interface HttpServerOptions {
  /** All handlers but that of the document, which only this server can make. */
  readonly handlers: Omit<Handlers, 'server.openapi'>;
  readonly authenticate: Authenticate;
  readonly version: string;
  /** True where the server listens on loopback alone. */
  readonly isLoopbackOnly: boolean;
  readonly log: FastifyBaseLogger;
  /** The API's own table when left out. */
  readonly routes?: Readonly<Record<string, Route>>;
}

/**
 * The HTTP API: the table of routes, with a handler behind each. Every route but the open ones answers 401 without a
 * token and 403 to one that lacks its right; both before its body is read.
 *
 * Closing it ends the streams, lets every other request finish, and takes no new one.
 *
 * @throws HoldfastError `internal` for a route without a handler or, but for the open ones, without a right
 */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify({
    loggerInstance: options.log,
    // One line a request would bury what matters; the hooks below log them at `debug`.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomBytes(6).toString('hex'),
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: mostParamLength },
  });
  acceptFiles(app);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(async (request) => {
    throw new HoldfastError('route-unknown', `There is no ${request.method} ${pathOf(request)}.`, {
      hint: 'GET /api/v1/openapi.json lists what there is.',
    });
  });
  guard(app, options);
  const stopping = new AbortController();
  app.addHook('preClose', async () => {
    stopping.abort(new HoldfastError('interrupted', 'The server stops.'));
  });
  await app.register(swagger, openapiOptions(options.version));
  mountRoutes(app, options, stopping.signal);
  await app.ready();
  return app;
}

/** What every request passes first, also one for a route that there is not. */
function guard(app: FastifyInstance, { isLoopbackOnly, authenticate }: HttpServerOptions): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    if (isLoopbackOnly) requireLoopbackHost(request.headers.host);
    const { right } = request.routeOptions.config;
    if (right === null) return;
    request.caller = await requireCaller(request.headers.authorization, authenticate);
    if (right !== undefined) requireRight(request.caller, right);
  });
  app.addHook('onResponse', async (request, reply) => {
    dropRest(request.raw);
    const fields = { method: request.method, path: pathOf(request), status: reply.statusCode };
    request.log.debug({ ...fields, caller: request.caller?.name }, 'answered');
  });
}

function mountRoutes(app: FastifyInstance, options: HttpServerOptions, stopping: AbortSignal): void {
  const handlers: Readonly<Record<string, unknown>> = {
    ...options.handlers,
    'server.openapi': async () => app.swagger(),
  };
  for (const [name, route] of Object.entries(options.routes ?? allRoutes)) {
    const handler = handlers[name];
    if (typeof handler !== 'function') throw unusable(name, 'has no handler');
    if (route.right === null && !openRoutes.has(name)) throw unusable(name, 'names no right');
    mountRoute({ app, name, route, handler: handler as AnyHandler, stopping });
  }
}

function unusable(name: string, reason: string): HoldfastError {
  return new HoldfastError('internal', `The route ${name} ${reason}: the server does not start like this.`);
}
