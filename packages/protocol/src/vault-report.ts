import { z } from 'zod';
import { vaultIdSchema } from './ids.ts';

/** By it a vault is known again: a mount point whose file system is gone, or another bucket, has none or another's. */
export const vaultMarkerSchema = z.object({ version: z.literal(1), id: vaultIdSchema, name: z.string() });

/** The name of the file in which the marker stands, at the vault's location. */
export const vaultMarkerName = 'holdfast-vault.json';

/** What a mover has found out about a vault. */
export const vaultReportSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('opened'),
    /** Null where there is none, and none was to be made. */
    marker: vaultMarkerSchema.nullable(),
    /** Of the folders that had to hold a repository, those that do not. */
    missing: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('tested'),
    /** How far the storage's clock is ahead of this machine's. */
    clockAheadMs: z.int(),
  }),
  z.object({
    kind: z.literal('listed'),
    marker: vaultMarkerSchema.nullable(),
    /** Folders that hold a repository. */
    whole: z.array(z.string()),
    /** What was a repository by what is left of it: without a config, nothing opens it. */
    broken: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('measured'),
    folders: z.array(
      z.object({ folder: z.string(), files: z.int().nonnegative(), bytes: z.int().nonnegative() }),
    ),
    /** Of the file system; null where nobody can tell. */
    space: z.object({ freeBytes: z.int().nonnegative(), totalBytes: z.int().nonnegative() }).nullable(),
  }),
]);

export type VaultMarker = z.infer<typeof vaultMarkerSchema>;
export type VaultReport = z.infer<typeof vaultReportSchema>;
