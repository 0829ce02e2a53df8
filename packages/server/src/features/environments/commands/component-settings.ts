import { durationSchema, retentionSchema } from '@holdfast/protocol';
import { z } from 'zod';

/** What was set by the API for a component's backups; what is not there was not set, and labels count. */
export const backupSettingsSchema = z.object({
  preset: z.string().optional(),
  backup: z
    .object({
      command: z.string().optional(),
      timeout: durationSchema.optional(),
      cron_string: z.string().optional(),
    })
    .optional(),
  restore: z.object({ command: z.string().optional(), timeout: durationSchema.optional() }).optional(),
  retention: retentionSchema.optional(),
});

export type BackupSettings = z.infer<typeof backupSettingsSchema>;
