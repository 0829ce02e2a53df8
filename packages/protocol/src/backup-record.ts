import { z } from 'zod';
import { backupIdSchema, environmentIdSchema, objectIdSchema, timeMsSchema } from './ids.ts';
import { mountPointSchema, partSourceSchema } from './mount.ts';

export const backupKindSchema = z.enum(['manual', 'automated', 'imported', 'safety']);
export const backupModeSchema = z.enum(['consistent', 'live']);
export const backupStatusSchema = z.enum([
  'queued',
  'running',
  'importing',
  'ready',
  'failed',
  'cancelled',
  'damaged',
  'deleting',
]);

/** A part as it stands in the repository: one snapshot whose tree has exactly one top entry, `data`. */
export const sealedPartSchema = z
  .object({
    /** Unique within the backup: the volume's name, the bind's path relative to the project's folder, `code`, `image:shop/web`. */
    name: z.string(),
    source: partSourceSchema,
    mountPoints: z.array(mountPointSchema),
    snapshotId: objectIdSchema,
    treeId: objectIdSchema,
    files: z.int().nonnegative(),
    bytes: z.int().nonnegative(),
    /** Bytes that this part added to the repository, compressed and encrypted. */
    storedBytes: z.int().nonnegative(),
  })
  .meta({ id: 'Part' });

export const logLineSchema = z
  .object({ timeMs: timeMsSchema, level: z.enum(['info', 'warn', 'error']), message: z.string() })
  .meta({ id: 'LogLine' });

/** How a backup's contents came to be of one moment, or did not. */
export const captureFactsSchema = z
  .object({
    /** From the first container that stopped to the last that went on; null where nothing was paused. */
    frozenMs: z.number().nonnegative().nullable(),
    /** Requests that waited in gates and went on; null without gates. */
    requestsHeld: z.int().nonnegative().nullable(),
    longestWaitMs: z.number().nonnegative().nullable(),
    /** Files that changed each time they were read: what is in the backup of them may be from two moments. */
    unsteadyFiles: z.int().nonnegative(),
  })
  .meta({ id: 'CaptureFacts' });

/**
 * The manifest: the JSON file `manifest.json` that is the only top entry of the snapshot which commits a backup.
 * A later revision of the same backup (description, pin, expiry) is a new manifest snapshot; the highest wins.
 */
export const manifestSchema = z.object({
  version: z.literal(1),
  revision: z.int().positive(),
  backupId: backupIdSchema,
  kind: backupKindSchema,
  mode: backupModeSchema,
  description: z.string(),
  environment: z.object({
    id: environmentIdSchema,
    name: z.string(),
    type: z.enum(['production', 'staging', 'development']),
    node: z.string(),
    /** The project's folder on the node, where Compose told it. */
    folder: z.string().nullable(),
  }),
  createdAtMs: timeMsSchema,
  finishedAtMs: timeMsSchema,
  expiresAtMs: timeMsSchema.nullable(),
  createdBy: z.string(),
  policy: z.string().nullable(),
  /** Why no rule removes it; null where rules may. */
  pinReason: z.string().nullable().default(null),
  parts: z.array(sealedPartSchema),
  capture: captureFactsSchema,
  log: z.array(logLineSchema),
});

export type BackupKind = z.infer<typeof backupKindSchema>;
export type BackupMode = z.infer<typeof backupModeSchema>;
export type BackupStatus = z.infer<typeof backupStatusSchema>;
export type SealedPart = z.infer<typeof sealedPartSchema>;
export type CaptureFacts = z.infer<typeof captureFactsSchema>;
export type LogLine = z.infer<typeof logLineSchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** Snapshot tags by which stock restic and `catalog:rebuild` tell what a snapshot is. */
export const snapshotTags = {
  part: 'holdfast:part',
  manifest: 'holdfast:manifest',
  ofBackup: (backupId: string): string => `holdfast:backup=${backupId}`,
} as const;
