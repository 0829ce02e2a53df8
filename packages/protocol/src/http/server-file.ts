import { z } from 'zod';

/**
 * `server.json` in the data directory (mode 0600), written when a server listens and removed when it stops:
 * how programs on the same machine find it. The token is in the file `token` beside it (mode 0600).
 */
export const serverFileSchema = z.object({ url: z.url(), pid: z.int().positive(), version: z.string() });

export type ServerFile = z.infer<typeof serverFileSchema>;
