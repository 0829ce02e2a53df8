import { z } from 'zod';

/** How storage is reached that is no directory of this machine. Holds secrets. */
export const storageAccessSchema = z.object({
  s3: z
    .object({
      credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
      region: z.string().optional(),
      /** How the bucket is named in requests: `auto` is `dns` for Amazon and `path` for everybody else. */
      bucketLookup: z.enum(['auto', 'dns', 'path']).optional(),
    })
    .optional(),
  uploadBytesPerSecond: z.int().positive().optional(),
});

/** What opens a repository. */
export const repositoryAccessSchema = z.object({
  /** As on the command line: a local path, `s3:…` or `rest:…`. */
  location: z.string(),
  password: z.string(),
  storage: storageAccessSchema.optional(),
  /** Where metadata of repositories that are reached over a network is kept: a folder of this machine. */
  cacheDirectory: z.string().optional(),
});

export type RepositoryAccess = z.infer<typeof repositoryAccessSchema>;
export type StorageAccess = z.infer<typeof storageAccessSchema>;
