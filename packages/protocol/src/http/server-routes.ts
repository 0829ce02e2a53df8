import { z } from 'zod';
import { timeMsSchema, vaultIdSchema } from '../ids.ts';
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
};

export type Vault = z.infer<typeof vaultSchema>;
