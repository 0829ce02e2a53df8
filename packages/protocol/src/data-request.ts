import { z } from 'zod';
import { objectIdSchema } from './ids.ts';
import { repositoryAccessSchema } from './repository-access.ts';

/** What kind an archive is, and how its bytes are compressed. */
export const archiveFormatSchema = z.enum(['tar.zst', 'tar.gz', 'tar', 'zip']);

const dataBase = { repository: repositoryAccessSchema };

/** The tree of a part: its one top entry is `data`. */
const partTree = { treeId: objectIdSchema };

/**
 * What the data process is to answer on a connection that it is handed. Holds secrets: it goes to that process alone.
 *
 * - `archive`: parts of a backup, with a manifest before them and checksums after them
 * - `content`: a file as it is, or a directory as an archive of what is in it
 * - `list`: what is in a directory, or the one entry that a file is
 * - `diff`: what differs between parts of two backups
 */
export const dataRequestSchema = z.discriminatedUnion('kind', [
  z.object({
    ...dataBase,
    kind: z.literal('archive'),
    format: archiveFormatSchema,
    /** Without the ending that the format gives it. */
    fileName: z.string(),
    /** What `holdfast-backup.json` in the archive says; notes are added. */
    manifest: z.record(z.string(), z.unknown()),
    parts: z.array(z.object({ ...partTree, path: z.string() })),
  }),
  z.object({
    ...dataBase,
    ...partTree,
    kind: z.literal('content'),
    format: archiveFormatSchema,
    /** Within the part; empty for all of it. */
    path: z.array(z.string()),
  }),
  z.object({
    ...dataBase,
    ...partTree,
    kind: z.literal('list'),
    path: z.array(z.string()),
    /** The `next` of the page before: the bytes of its last name, as base64url. */
    after: z.string().nullable(),
    limit: z.int().positive(),
  }),
  z.object({
    ...dataBase,
    kind: z.literal('diff'),
    /** Null where the part is in one of the backups only. */
    parts: z.array(
      z.object({
        name: z.string(),
        /** Its metadata says no more than when it was taken. */
        isOneFile: z.boolean(),
        oldTreeId: objectIdSchema.nullable(),
        newTreeId: objectIdSchema.nullable(),
      }),
    ),
    limit: z.int().positive(),
  }),
]);

export type ArchiveFormat = z.infer<typeof archiveFormatSchema>;
export type DataRequest = z.infer<typeof dataRequestSchema>;
