import { z } from 'zod';
import { backupModeSchema } from './backup-record.ts';
import { timeMsSchema } from './ids.ts';
import { mountPointSchema, partSourceSchema } from './mount.ts';

/** The file that comes first in the archive of a backup that somebody takes along. */
export const archivedBackupFileName = 'holdfast-backup.json';

/** What that file says: enough to make a backup of the archive again. */
export const archivedBackupSchema = z.object({
  version: z.literal(1),
  backup: z.object({
    id: z.string(),
    mode: backupModeSchema,
    environmentName: z.string(),
    createdAtMs: timeMsSchema,
  }),
  parts: z.array(
    z.object({
      name: z.string().min(1),
      /** In the archive. */
      path: z.string().regex(/^parts\/(?!\.{1,2}$)[\w.-]+$/),
      source: partSourceSchema,
      mountPoints: z.array(mountPointSchema),
    }),
  ),
});

export type ArchivedBackup = z.infer<typeof archivedBackupSchema>;
