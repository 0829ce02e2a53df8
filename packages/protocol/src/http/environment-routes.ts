import { z } from 'zod';
import { environmentIdSchema, nodeIdSchema, timeMsSchema } from '../ids.ts';
import { mountPointSchema, mountSourceSchema } from '../mount.ts';
import { route } from './route.ts';

export const instanceSchema = z
  .object({
    containerId: z.string(),
    name: z.string(),
    /** As the engine says it: `running`, `paused`, `exited`, `created`, `restarting`, … */
    state: z.string(),
  })
  .meta({ id: 'Instance' });

export const componentSchema = z
  .object({ name: z.string(), instances: z.array(instanceSchema) })
  .meta({ id: 'Component' });

export const mountSchema = z
  .object({
    /** The name that its part has in a backup. */
    name: z.string(),
    /** Null for what is never part of a backup because it has no lasting source (tmpfs, pipes). */
    source: mountSourceSchema.nullable(),
    mountPoints: z.array(mountPointSchema),
    included: z.boolean(),
    /** Why it is included or left out, as a sentence. */
    reason: z.string(),
    /** It is left out though nobody said so and no rule says that nobody misses it: data that no backup has. */
    isGap: z.boolean().optional(),
  })
  .meta({ id: 'Mount' });

/** What a user deleted stays as it was until the grace is over: then its backups go. */
export const deletionSchema = z
  .object({
    atMs: timeMsSchema,
    /** Until then nothing is removed, and all of it can be taken back. */
    untilMs: timeMsSchema,
  })
  .meta({ id: 'Deletion' });

export const environmentSummarySchema = z
  .object({
    id: environmentIdSchema,
    name: z.string(),
    project: z.string(),
    type: z.enum(['production', 'staging', 'development']),
    state: z.enum(['active', 'inactive']),
    nodeId: nodeIdSchema,
    nodeName: z.string(),
    /** False where its node does not answer: it is shown as it was last seen. */
    isReachable: z.boolean(),
    folder: z.string().nullable(),
    components: z.array(z.string()),
    lastBackupAtMs: timeMsSchema.nullable(),
    /** Null where nobody deleted it. */
    deletion: deletionSchema.nullable(),
  })
  .meta({ id: 'EnvironmentSummary' });

export const environmentSchema = environmentSummarySchema
  .omit({ components: true })
  .extend({
    components: z.array(componentSchema),
    /** Components that a command backs up, or restores. */
    commands: z.array(z.object({ component: z.string(), backup: z.boolean(), restore: z.boolean() })),
    mounts: z.array(mountSchema),
    /** Components that write to their own container's file system, outside any mount: that data is in no backup. */
    writesOutsideMounts: z.array(z.string()),
    /** A restore that was cut off: the environment stays stopped until the same restore is run again. */
    unfinishedRestore: z
      .object({ backupId: z.string(), startedAtMs: timeMsSchema, reason: z.string() })
      .nullable(),
    /** Components that were deleted: what is left of them goes after the grace. */
    deletedComponents: z.array(deletionSchema.extend({ name: z.string() })),
  })
  .meta({ id: 'Environment' });

/** An environment is named by its id or, where it is the only one of that name, by its name. */
export const environmentParams = z.object({ environment: z.string().min(1) });

export const environmentRoutes = {
  'environment.list': route({
    method: 'GET',
    path: '/environments',
    right: 'environment:read',
    summary: 'All environments (Compose projects), active and inactive',
    status: 200,
    response: z.object({ environments: z.array(environmentSummarySchema) }),
  }),
  'environment.get': route({
    method: 'GET',
    path: '/environments/{environment}',
    right: 'environment:read',
    summary: 'One environment with its components, instances and every mount',
    params: environmentParams,
    status: 200,
    response: environmentSchema,
  }),
};

export type Instance = z.infer<typeof instanceSchema>;
export type Component = z.infer<typeof componentSchema>;
export type Deletion = z.infer<typeof deletionSchema>;
export type Mount = z.infer<typeof mountSchema>;
export type EnvironmentSummary = z.infer<typeof environmentSummarySchema>;
export type Environment = z.infer<typeof environmentSchema>;
