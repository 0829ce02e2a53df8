import { z } from 'zod';
import { retentionSchema } from './backup-routes.ts';
import { instanceSchema } from './environment-routes.ts';
import { route } from './route.ts';

/** A duration such as `90s`, `1h30m` or `3d15h10m5s`. */
export const durationSchema = z
  .string()
  .regex(/^(?=.*[1-9])(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?$/);

/** A line of shell, run by `/bin/sh` in one of the component's containers. */
const commandSchema = z.string().min(1).max(100_000);

/** How a component is backed up by a command whose output is its backup, as it holds now: settings, labels and presets together. */
export const backupIntegrationSchema = z
  .object({
    preset: z.string().nullable(),
    backup: z
      .object({ command: z.string(), timeout: z.string(), cron_string: z.string().nullable() })
      .optional(),
    restore: z.object({ command: z.string(), timeout: z.string() }).optional(),
    retention: z.string().nullable(),
  })
  .meta({ id: 'BackupIntegration' });

/** What is to be set: a field that is left out stays as it is, null takes back what was set, so that the labels count again. */
export const backupIntegrationChangeSchema = z
  .object({
    /** A preset's name, with a colon and its argument where it takes one: `postgres`, `sqlite:/data/app.db`. */
    preset: z.string().nullable().optional(),
    backup: z
      .object({
        command: commandSchema.nullable().optional(),
        timeout: durationSchema.nullable().optional(),
        cron_string: z.string().max(200).nullable().optional(),
      })
      .nullable()
      .optional(),
    restore: z
      .object({
        command: commandSchema.nullable().optional(),
        timeout: durationSchema.nullable().optional(),
      })
      .nullable()
      .optional(),
    retention: retentionSchema.nullable().optional(),
  })
  .meta({ id: 'BackupIntegrationChange' });

export const componentDetailsSchema = z
  .object({
    name: z.string(),
    environmentName: z.string(),
    instances: z.array(instanceSchema),
    integrations: z.object({ backups: backupIntegrationSchema }),
  })
  .meta({ id: 'ComponentDetails' });

export const componentParams = z.object({ environment: z.string().min(1), component: z.string().min(1) });

export const componentRoutes = {
  'component.get': route({
    method: 'GET',
    path: '/environments/{environment}/components/{component}',
    right: 'environment:read',
    summary: 'One component, with how it is backed up and restored by commands',
    params: componentParams,
    status: 200,
    response: componentDetailsSchema,
  }),
  'component.update': route({
    method: 'PATCH',
    path: '/environments/{environment}/components/{component}',
    right: 'environment:write',
    summary: "Change a component's settings; they beat its labels",
    params: componentParams,
    body: z.object({
      integrations: z.object({ backups: backupIntegrationChangeSchema.nullable() }),
    }),
    status: 200,
    response: componentDetailsSchema,
  }),
};

export type BackupIntegration = z.infer<typeof backupIntegrationSchema>;
export type BackupIntegrationChange = z.infer<typeof backupIntegrationChangeSchema>;
export type ComponentDetails = z.infer<typeof componentDetailsSchema>;
