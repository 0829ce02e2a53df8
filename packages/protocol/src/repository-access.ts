import { z } from 'zod';

/** What opens a repository. */
export const repositoryAccessSchema = z.object({
  /** As on the command line: a local path, `s3:…` or `rest:…`. */
  location: z.string(),
  password: z.string(),
});
