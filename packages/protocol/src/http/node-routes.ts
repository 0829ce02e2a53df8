import { z } from 'zod';
import { nodeIdSchema, timeMsSchema } from '../ids.ts';
import { route } from './route.ts';

/** A Docker Engine that Holdfast reaches. */
export const nodeSchema = z
  .object({
    id: nodeIdSchema,
    name: z.string(),
    dockerHost: z.string(),
    /** The engine's own id, and its data folder. Null until it has answered once. */
    engineId: z.string().nullable(),
    /** `unreachable`: it does not answer, or another engine answers in its place. */
    status: z.enum(['ok', 'unreachable']),
    /** Why it is unreachable. */
    error: z.string().nullable(),
    /** Why files of its volumes cannot be reached, although it answers. */
    limitation: z.string().nullable(),
    createdAtMs: timeMsSchema,
  })
  .meta({ id: 'Node' });

export const nodeRoutes = {
  'node.list': route({
    method: 'GET',
    path: '/nodes',
    right: 'node:read',
    summary: 'The Docker Engines that environments are on',
    status: 200,
    response: z.object({ nodes: z.array(nodeSchema) }),
  }),
  'node.add': route({
    method: 'POST',
    path: '/nodes',
    right: 'node:write',
    summary: 'Reach another Docker Engine',
    body: z.object({
      name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
      /** `unix:///path/to/docker.sock` or `tcp://host:port`. */
      dockerHost: z.string().min(1).max(1000),
    }),
    status: 200,
    response: nodeSchema,
  }),
  'node.remove': route({
    method: 'DELETE',
    path: '/nodes/{node}',
    right: 'node:write',
    summary: 'Reach a Docker Engine no more; its environments stay, inactive, with their backups',
    params: z.object({ node: z.string().min(1) }),
    status: 200,
    response: z.object({}),
  }),
};

export type Node = z.infer<typeof nodeSchema>;
