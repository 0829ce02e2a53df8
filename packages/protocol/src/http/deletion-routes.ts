import { z } from 'zod';
import { backupIdSchema, environmentIdSchema, timeMsSchema } from '../ids.ts';
import { componentParams } from './component-routes.ts';
import { deletionSchema, environmentParams } from './environment-routes.ts';
import { route } from './route.ts';

const namedBackupSchema = z.object({ id: backupIdSchema, createdAtMs: timeMsSchema });

/** What the deletion of an environment, or of a component of one, removes once the grace is over. */
export const deletionPlanSchema = z
  .object({
    environmentId: environmentIdSchema,
    environmentName: z.string(),
    /** Null: the whole environment. */
    component: z.string().nullable(),
    /** Null where it is not deleted yet. */
    deletion: deletionSchema.nullable(),
    /** How long it can be taken back. */
    graceMs: z.int().positive(),
    /** Those that go: all that are not pinned. Of a component, those that hold nothing else. */
    backups: z.int().nonnegative(),
    /** What they hold, before it was stored only once. */
    bytes: z.int().nonnegative(),
    oldestAtMs: timeMsSchema.nullable(),
    newestAtMs: timeMsSchema.nullable(),
    /** They stay until they are deleted by name. */
    pinned: z.array(namedBackupSchema.extend({ pinReason: z.string() })),
    /** Those to download first: the newest good one of all, then of each component that has a newer one of its own. */
    newestGood: z.array(namedBackupSchema.extend({ components: z.array(z.string()) })),
  })
  .meta({ id: 'DeletionPlan' });

export const undeletionSchema = z
  .object({
    environmentId: environmentIdSchema,
    environmentName: z.string(),
    component: z.string().nullable(),
    /** False where there was nothing to take back. */
    wasDeleted: z.boolean(),
    /** Those that are there: after the grace they may be gone. */
    backups: z.int().nonnegative(),
  })
  .meta({ id: 'Undeletion' });

const deleteQuery = z.object({
  /** Pinned backups stay, and keep nothing from being deleted. Without it, they do. */
  keepPinned: z.enum(['true', 'false']).optional(),
});

export const deletionRoutes = {
  'environment.deletion': route({
    method: 'GET',
    path: '/environments/{environment}/deletion',
    right: 'backup:read',
    summary: 'What the deletion of an environment removes; changes nothing',
    params: environmentParams,
    status: 200,
    response: deletionPlanSchema,
  }),
  'environment.delete': route({
    method: 'DELETE',
    path: '/environments/{environment}',
    right: 'backup:delete',
    summary: 'Follow an environment no more, and remove its backups after a grace of 7 days',
    params: environmentParams,
    query: deleteQuery,
    status: 200,
    response: deletionPlanSchema,
  }),
  'environment.undelete': route({
    method: 'POST',
    path: '/environments/{environment}/undelete',
    right: 'backup:delete',
    summary: 'Take back the deletion of an environment; its schedules are followed again',
    params: environmentParams,
    status: 200,
    response: undeletionSchema,
  }),
  'component.deletion': route({
    method: 'GET',
    path: '/environments/{environment}/components/{component}/deletion',
    right: 'backup:read',
    summary: 'What the deletion of a component removes; changes nothing',
    params: componentParams,
    status: 200,
    response: deletionPlanSchema,
  }),
  'component.delete': route({
    method: 'DELETE',
    path: '/environments/{environment}/components/{component}',
    right: 'backup:delete',
    summary: 'Remove what is left of a component that Docker no longer has, after a grace of 7 days',
    params: componentParams,
    query: deleteQuery,
    status: 200,
    response: deletionPlanSchema,
  }),
  'component.undelete': route({
    method: 'POST',
    path: '/environments/{environment}/components/{component}/undelete',
    right: 'backup:delete',
    summary: 'Take back the deletion of a component',
    params: componentParams,
    status: 200,
    response: undeletionSchema,
  }),
};

export type DeletionPlan = z.infer<typeof deletionPlanSchema>;
export type Undeletion = z.infer<typeof undeletionSchema>;
