import { z } from 'zod';
import { environmentIdSchema, repositoryIdSchema, timeMsSchema, vaultIdSchema } from '../ids.ts';
import { route } from './route.ts';

export const vaultSchema = z
  .object({
    id: vaultIdSchema,
    name: z.string(),
    location: z.string(),
    isDefault: z.boolean(),
    /** `missing`: it held a repository and no longer does. Nothing is made anew there. */
    status: z.enum(['ok', 'missing']),
    createdAtMs: timeMsSchema,
  })
  .meta({ id: 'Vault' });

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
  'vault.list': route({
    method: 'GET',
    path: '/vaults',
    right: 'vault:read',
    summary: 'Where backups are kept',
    status: 200,
    response: z.object({ vaults: z.array(vaultSchema) }),
  }),
  'vault.open': route({
    method: 'POST',
    path: '/vaults/open',
    right: 'vault:open',
    summary: "Note in the server's log that the caller is about to be shown recovery keys; none is answered",
    body: z.object({ command: z.enum(['vault:kit', 'repository:password']) }),
    status: 200,
    response: z.object({ noted: z.literal(true) }),
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
export type Vault = z.infer<typeof vaultSchema>;
