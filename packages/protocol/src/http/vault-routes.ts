import { z } from 'zod';
import { timeMsSchema, vaultIdSchema } from '../ids.ts';
import { jobSchema } from './job-routes.ts';
import { route } from './route.ts';

export const vaultSchema = z
  .object({
    id: vaultIdSchema,
    name: z.string(),
    /** As stock restic takes it: a directory of the server's machine, or `s3:https://HOST/BUCKET/FOLDER`. */
    location: z.string(),
    isDefault: z.boolean(),
    /**
     * `missing`: it held a repository and no longer does; nothing is made anew there. `failing`: it could not be used when
     * it was last tried. What is reached over a network is not looked at for this: see `checkedAtMs`.
     */
    status: z.enum(['ok', 'missing', 'failing']),
    /** Why it is not `ok`. */
    problem: z.string().nullable(),
    /** When storage that is reached over a network was last tried; null before, and for a directory. */
    checkedAtMs: timeMsSchema.nullable(),
    /** The access key of a bucket; its secret key is never told. */
    keyId: z.string().nullable(),
    /** The most that is sent there in a second, by each mover. */
    uploadBytesPerSecond: z.int().positive().nullable(),
    /** What may be kept there; null: as much as there is room for. */
    capacityBytes: z.int().positive().nullable(),
    createdAtMs: timeMsSchema,
  })
  .meta({ id: 'Vault' });

export const vaultUsageSchema = z
  .object({
    bytes: z.int().nonnegative(),
    files: z.int().nonnegative(),
    /** What can still be kept there, by its capacity or its file system; null where nobody can tell. */
    freeBytes: z.int().nonnegative().nullable(),
    folders: z.array(
      z.object({
        folder: z.string(),
        /** Null for a repository that this server does not know. */
        environmentName: z.string().nullable(),
        files: z.int().nonnegative(),
        bytes: z.int().nonnegative(),
      }),
    ),
  })
  .meta({ id: 'VaultUsage' });

const s3Schema = z.strictObject({
  keyId: z.string().min(1).max(1000),
  keySecret: z.string().min(1).max(1000),
  region: z.string().min(1).max(100).optional(),
  /** How the bucket is named in requests: `auto` is `dns` for Amazon and `path` for everybody else. */
  bucketLookup: z.enum(['auto', 'dns', 'path']).optional(),
});

const limits = {
  uploadBytesPerSecond: z.int().min(1024).nullable().optional(),
  capacityBytes: z.int().positive().nullable().optional(),
};

/** A vault is named by its id or its name. */
const vaultParams = z.object({ vault: z.string().min(1) });

export const vaultRoutes = {
  'vault.list': route({
    method: 'GET',
    path: '/vaults',
    right: 'vault:read',
    summary: 'Where backups are kept',
    status: 200,
    response: z.object({ vaults: z.array(vaultSchema) }),
  }),
  'vault.add': route({
    method: 'POST',
    path: '/vaults',
    right: 'vault:write',
    summary: 'Keep backups in another place too, once it was tried out',
    body: z.strictObject({
      name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
      location: z.string().min(1).max(4000),
      /** For a bucket. */
      s3: s3Schema.optional(),
      isDefault: z.boolean().optional(),
      ...limits,
      /** Of the vault that is there already: its recovery key, or the recovery kit with it. */
      recoveryKit: z.string().min(1).max(1_000_000).optional(),
    }),
    status: 200,
    response: vaultSchema,
  }),
  'vault.update': route({
    method: 'PATCH',
    path: '/vaults/{vault}',
    right: 'vault:write',
    summary:
      'Change how a vault is reached, or make it the default; what does not lead to the same vault is refused',
    params: vaultParams,
    body: z.strictObject({
      location: z.string().min(1).max(4000).optional(),
      s3: s3Schema.optional(),
      isDefault: z.literal(true).optional(),
      ...limits,
    }),
    status: 200,
    response: vaultSchema,
  }),
  'vault.remove': route({
    method: 'DELETE',
    path: '/vaults/{vault}',
    right: 'vault:write',
    summary: 'Use a vault no more; what is in it stays there',
    params: vaultParams,
    query: z.object({
      /** Backups in it are no longer listed. Without it, a vault with backups is not removed. */
      forget: z.enum(['true', 'false']).optional(),
    }),
    status: 200,
    response: z.object({ backups: z.int().nonnegative() }),
  }),
  'vault.test': route({
    method: 'POST',
    path: '/vaults/{vault}/test',
    right: 'vault:write',
    summary: 'Write, read, list and remove a file in a vault, and look whether all that it held is there',
    params: vaultParams,
    status: 200,
    response: z.object({ clockAheadMs: z.int(), repositories: z.int().nonnegative() }),
  }),
  'vault.check': route({
    method: 'POST',
    path: '/vaults/{vault}/check',
    right: 'vault:write',
    summary: 'Look in all repositories of a vault for what somebody removed or changed: one job for each',
    params: vaultParams,
    status: 202,
    response: z.object({ jobs: z.array(jobSchema) }),
  }),
  'vault.adopt': route({
    method: 'POST',
    path: '/vaults/{vault}/adopt',
    right: 'vault:write',
    summary:
      'Take in a repository of stock restic that lies in a vault, or those of a lost server: one job for each',
    params: vaultParams,
    body: z.strictObject({
      /** Of the repository, within the vault. Without it, those that the recovery key of the vault opens. */
      folder: z.string().min(1).max(1000).optional(),
      /** It opens the repository. It is kept sealed while the job waits, and never answered. */
      password: z.string().min(1).max(10_000).optional(),
      /** What the backups will be of: a new one, called like the folder, if left out. */
      environment: z.string().min(1).max(100).optional(),
      dryRun: z.boolean().optional(),
    }),
    status: 202,
    response: z.object({
      jobs: z.array(jobSchema),
      /** Folders that were repositories by what is left of them: without a config, nothing opens them. */
      broken: z.array(z.string()),
    }),
  }),
  'vault.usage': route({
    method: 'GET',
    path: '/vaults/{vault}/usage',
    right: 'vault:read',
    summary: 'How much a vault holds, by repository',
    params: vaultParams,
    status: 200,
    response: vaultUsageSchema,
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
};

export type Vault = z.infer<typeof vaultSchema>;
export type VaultUsage = z.infer<typeof vaultUsageSchema>;
