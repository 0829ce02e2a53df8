import { z } from 'zod';
import { backupIdSchema, timeMsSchema, uploadIdSchema } from '../ids.ts';
import { startedJobSchema } from './backup-routes.ts';
import { route } from './route.ts';

/** Longer ones exist, and nobody can tell what for. */
const longestUrl = 16_384;

export const uploadSchema = z
  .object({
    id: uploadIdSchema,
    bytes: z.int().nonnegative(),
    /** It is removed then, or as soon as it was imported. */
    expiresAtMs: timeMsSchema,
  })
  .meta({ id: 'Upload' });

export const importRoutes = {
  'upload.create': route({
    method: 'POST',
    path: '/uploads',
    right: 'backup:import',
    summary: 'Hand in a file that is to be imported: as the body, or as the one file of a form',
    takesFile: true,
    status: 200,
    response: uploadSchema,
  }),
  'import.create': route({
    method: 'POST',
    path: '/environments/{environment}/imports',
    right: 'backup:import',
    summary: 'Make a backup of an archive or a dump, from a URL or an upload',
    params: z.object({ environment: z.string().min(1) }),
    body: z
      .object({
        /** http or https. It is kept sealed, and never answered: it may be signed. */
        url: z.string().min(1).max(longestUrl).optional(),
        upload: uploadIdSchema.optional(),
        /** What it is of, where it does not say so itself. */
        component: z.string().min(1).optional(),
        /** The same, by the name of the part. */
        part: z.string().min(1).optional(),
        description: z.string().max(1000).optional(),
      })
      .refine(({ url, upload }) => (url === undefined) !== (upload === undefined), {
        message: 'Give a url or an upload: one of them.',
      }),
    status: 202,
    response: startedJobSchema.extend({ backupId: backupIdSchema }),
  }),
};

export type Upload = z.infer<typeof uploadSchema>;
