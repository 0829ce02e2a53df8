import { z } from 'zod';

/** The one form of an error on every wire: HTTP bodies, mover events, `--format json`. */
export const errorReportSchema = z
  .object({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Error' });

export type ErrorReportBody = z.infer<typeof errorReportSchema>;
