import { z } from 'zod';
import { logLineSchema, manifestSchema, sealedPartSchema } from '../backup-record.ts';
import { environmentModelSchema } from '../environment-model.ts';
import { errorReportSchema } from '../error-report.ts';
import { backupIdSchema, objectIdSchema, taskIdSchema, timeMsSchema } from '../ids.ts';
import { vaultReportSchema } from '../vault-report.ts';

const eventBase = { taskId: taskIdSchema, epoch: z.int().positive(), timeMs: timeMsSchema };

/** What a pass over sources that stand still copied, and how long it took: of `precopied`, when it was rehearsed last. */
const copiedAside = {
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  elapsedMs: z.number().nonnegative(),
};

export const progressSchema = z
  .object({
    /**
     * What is being done, as a user would say it: `backup`, `catching up`, `final pass`, `verify`, `compare`, `stage`,
     * `feed`, `download`, `import`, `prune`.
     */
    phase: z.string(),
    /** The part at work, or null between parts. */
    part: z.string().nullable(),
    files: z.int().nonnegative(),
    filesTotal: z.int().nonnegative().nullable(),
    bytes: z.int().nonnegative(),
    bytesTotal: z.int().nonnegative().nullable(),
  })
  .meta({ id: 'Progress' });

/** A backup as its repository has it. */
const foundBackupSchema = z.object({
  /** Of its highest revision. */
  manifest: manifestSchema,
  manifestSnapshotId: objectIdSchema,
  /** Names of parts whose snapshot is gone, is another than the manifest says, or has lost its tree. */
  missingParts: z.array(z.string()),
});

/** What of a backup is not in its repository any more; of a whole one, nothing. */
const inspectedBackupSchema = z.object({
  backupId: backupIdSchema,
  lost: z.array(
    z.object({
      /** The name of the part; null for the manifest. */
      part: z.string().nullable(),
      /** A few that cannot be restored whole, in the part; none where its snapshot is gone. */
      paths: z.array(z.string()),
    }),
  ),
});

export const taskOutcomeSchema = z.enum(['done', 'warnings', 'failed', 'cancelled']);

/**
 * What a mover reports, one JSON object a line: first to its event file, then as a copy to standard output.
 *
 * backup:  started → progress* log* → [precopied → (frozen) → captured → (thawed)] → part* → sealed → (commit)
 *          → committed{manifest} → result; what is in brackets is of consistent backups only
 * restore: started → progress* log* → sealed (all that differs is fetched, authenticated and staged; the targets are as they
 *          were) → (commit) → committed{manifest: null} (from here on the targets change) → swapped (they are wholly new)
 *          | undone (they are wholly as they were) → log* → result
 * feed:    started → progress* → sealed (all parts fetched and authenticated) → (commit) → committed{manifest: null} (from
 *          here on commands run) → progress* log* → result
 * import:  started → progress* log* → part* → sealed (all of the source is in the repository) → (commit)
 *          → committed{manifest} → result
 * forget:  started → committed{manifest: null} → (removing{backupId} → log* → removed{backupId})* → result; of each backup that
 *          was not begun, all is there
 * revise:  started → committed{manifest} (the new revision is there) → result
 * prune:   started → progress* log* → result
 * inspect: started → progress* log* inspected* → sealed (every backup was told) → (commit) → committed{manifest: null} (an
 *          index may be about to change) → log* → result
 * compare: started → progress* log* → result
 * unpack:  started → progress* log* → result
 * code:    started → described → progress* → result (all images are loaded)
 * settle:  started → (go) → committed{manifest: null} → log* → result
 * rebuild: started → log* backup* → sealed (every backup was told) → (commit) → committed{manifest: null} (the own password
 *          is about to become a key) → result
 * adopt:   started → progress* log* backup* (those that are there already, then each as soon as it is) → result
 * vault:   started → vault → result
 *
 * `started`, `sealed`, `committed`, `removing`, `removed`, `swapped`, `undone` and `result` are on stable storage before the mover goes on.
 */
export const moverEventSchema = z.discriminatedUnion('type', [
  z.object({
    ...eventBase,
    type: z.literal('started'),
    pid: z.int().positive(),
    /** `/proc/sys/kernel/random/boot_id` */
    bootId: z.string(),
    /** Field 22 of `/proc/<pid>/stat`, in clock ticks since boot: with pid and boot id it names one process for good. */
    startTicks: z.string(),
  }),
  z.object({ ...eventBase, type: z.literal('progress'), progress: progressSchema }),
  z.object({ ...eventBase, type: z.literal('log'), line: logLineSchema }),
  z.object({
    ...eventBase,
    type: z.literal('precopied'),
    ...copiedAside,
  }),
  z.object({
    ...eventBase,
    type: z.literal('captured'),
    ...copiedAside,
  }),
  z.object({ ...eventBase, type: z.literal('part'), part: sealedPartSchema }),
  z.object({ ...eventBase, type: z.literal('backup'), backup: foundBackupSchema }),
  z.object({ ...eventBase, type: z.literal('inspected'), backup: inspectedBackupSchema }),
  /** The first of its snapshots is about to go. */
  z.object({ ...eventBase, type: z.literal('removing'), backupId: backupIdSchema }),
  /** The last one is gone. */
  z.object({ ...eventBase, type: z.literal('removed'), backupId: backupIdSchema }),
  z.object({ ...eventBase, type: z.literal('vault'), report: vaultReportSchema }),
  z.object({ ...eventBase, type: z.literal('sealed') }),
  z.object({
    ...eventBase,
    type: z.literal('committed'),
    manifest: manifestSchema.nullable(),
    manifestSnapshotId: objectIdSchema.nullable(),
  }),
  z.object({ ...eventBase, type: z.literal('swapped') }),
  z.object({
    ...eventBase,
    type: z.literal('described'),
    /** What the environment was made of: secret, for it has the variables of containers. */
    model: environmentModelSchema,
    /** Whether the project's folder is in the backup. */
    hasProject: z.boolean(),
    /** Of the bound parts, those that are a single file. */
    singleFiles: z.array(z.string()),
  }),
  z.object({ ...eventBase, type: z.literal('undone') }),
  z.object({
    ...eventBase,
    type: z.literal('result'),
    outcome: taskOutcomeSchema,
    error: errorReportSchema.nullable(),
    /** Files that were skipped or not restored exactly, at most a hundred, each with its reason. */
    warnings: z.array(z.string()),
  }),
]);

export type Progress = z.infer<typeof progressSchema>;
export type FoundBackup = z.infer<typeof foundBackupSchema>;
export type InspectedBackup = z.infer<typeof inspectedBackupSchema>;
export type TaskOutcome = z.infer<typeof taskOutcomeSchema>;
export type MoverEvent = z.infer<typeof moverEventSchema>;
