import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { apiPrefix, errorReportSchema, type Route } from '@holdfast/protocol';
import type { FastifySchema } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { z } from 'zod';

const description = [
  'Long work answers 202 with a job; `GET /jobs/{job}/events` follows it.',
  'Every error is one object `{code, message, hint, details}`.',
].join(' ');

/** Options of `@fastify/swagger` that make the OpenAPI 3.1 document from the routes' schemas. */
export function openapiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Holdfast', version, description, license: { name: 'Apache-2.0' } },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: (input) => {
      const made = jsonSchemaTransform(input);
      // No schema checks the bytes of a file: one that says what they are is for the document alone.
      if (input.schema?.consumes !== undefined) made.schema.body = { type: 'string', format: 'binary' };
      return made;
    },
    transformObject: (document) => {
      const made = jsonSchemaTransformObject(document);
      const schemas = 'components' in made ? made.components?.schemas : undefined;
      if (schemas !== undefined) removeUnused(schemas, JSON.stringify('paths' in made ? made.paths : {}));
      return made;
    },
  };
}

/** Every schema that has a name comes twice, as what is sent and as what is answered: most are only one of the two. */
function removeUnused(schemas: Record<string, unknown>, paths: string): void {
  const used = new Set<string>();
  const use = (text: string): void => {
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      use(JSON.stringify(schemas[name] ?? {}));
    }
  };
  use(paths);
  for (const name of Object.keys(schemas)) if (!used.has(name)) delete schemas[name];
}

/** What the document and the checks of requests and responses take from a route. */
export function routeSchema(name: string, route: Route): FastifySchema & Record<string, unknown> {
  const [tag = name] = name.split('.');
  return {
    operationId: name,
    summary: route.summary,
    tags: [tag],
    ...(route.right === null
      ? { security: [] }
      : { security: [{ token: [] }], description: `Needs the right \`${route.right}\`.` }),
    ...(route.params === undefined ? {} : { params: route.params }),
    ...(route.query === undefined ? {} : { querystring: route.query }),
    ...(route.body === undefined ? {} : { body: route.body }),
    ...(route.takesFile === true ? { consumes: ['application/octet-stream'] } : {}),
    response: {
      [route.status]: {
        description: successDescription(route),
        content: {
          [mediaType(route)]: { schema: route.response },
        },
      },
      default: { description: 'It failed.', content: jsonContent(errorReportSchema) },
    },
  };
}

function mediaType(route: Route): string {
  if (route.streams === true) return 'text/event-stream';
  return route.handedOver ?? route.text ?? 'application/json';
}

function successDescription(route: Route): string {
  if (route.streams === true) return 'Server-sent events, each with one of these as its data.';
  return route.status === 202 ? 'It was begun.' : 'The answer.';
}

function jsonContent(schema: z.ZodType) {
  return { 'application/json': { schema } };
}

/** `/environments/{environment}` as Fastify writes it, below the API's prefix. */
export function fastifyPath(route: Route): string {
  return apiPrefix + route.path.replaceAll(/\{(\w+)\}/g, ':$1');
}
