import { z } from 'zod';
import { environmentIdSchema, repositoryIdSchema, vaultIdSchema } from '../ids.ts';
import { route } from './route.ts';

export const repositorySchema = z
  .object({
    id: repositoryIdSchema,
    environmentId: environmentIdSchema,
    environmentName: z.string(),
    vaultId: vaultIdSchema,
    /** As stock restic takes it. */
    location: z.string(),
    /** On the server's machine: what stock restic takes as `--password-file`. */
    passwordFile: z.string(),
  })
  .meta({ id: 'Repository' });

export const serverRoutes = {
  'server.health': route({
    method: 'GET',
    path: '/healthz',
    right: null,
    summary: 'Whether the server answers and reaches its catalog',
    status: 200,
    response: z.object({ status: z.literal('ok'), version: z.string() }),
  }),
  'server.openapi': route({
    method: 'GET',
    path: '/openapi.json',
    right: 'server:read',
    summary: 'This API as an OpenAPI 3.1 document',
    status: 200,
    response: z.record(z.string(), z.unknown()),
  }),
  'server.metrics': route({
    method: 'GET',
    path: '/metrics',
    right: 'server:read',
    summary: 'How things stand, for Prometheus',
    status: 200,
    response: z.string(),
    text: 'text/plain; version=0.0.4; charset=utf-8',
  }),
  'repository.list': route({
    method: 'GET',
    path: '/repositories',
    right: 'vault:read',
    summary: 'Repositories that vaults hold, by environment, and where on the server what opens them is',
    query: z.object({ environment: z.string().min(1).optional() }),
    status: 200,
    response: z.object({ repositories: z.array(repositorySchema) }),
  }),
};

export type Repository = z.infer<typeof repositorySchema>;
