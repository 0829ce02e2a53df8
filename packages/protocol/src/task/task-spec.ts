import { z } from 'zod';
import { manifestSchema } from '../backup-record.ts';
import { backupIdSchema, jobIdSchema, objectIdSchema, taskIdSchema } from '../ids.ts';
import { mountPointSchema, partSourceSchema } from '../mount.ts';

const repositoryAccessSchema = z.object({
  /** As on the command line: a local path, `s3:…` or `rest:…`. */
  location: z.string(),
  password: z.string(),
});

const taskBase = {
  version: z.literal(1),
  taskId: taskIdSchema,
  jobId: jobIdSchema,
  /** Grows by one each time the task's lease changes hands; events carry it. */
  epoch: z.int().positive(),
  /** The task's own event file, appended to before standard output. */
  eventsPath: z.string(),
  /** An existing directory on local storage that only the task uses; removed by who started it. */
  scratchPath: z.string(),
  repository: repositoryAccessSchema,
};

export const backupTaskSchema = z.object({
  ...taskBase,
  kind: z.literal('backup'),
  /**
   * The manifest to be, all but what the run itself finds out: the rest is filled in by the mover. With mode
   * `consistent`, the mover waits to be told that the sources stand still.
   */
  manifest: manifestSchema.omit({ parts: true, capture: true, log: true, finishedAtMs: true }),
  /** Created with these passwords when the location holds none yet and the catalog has never seen one there. */
  initialize: z.object({ recoveryPassword: z.string() }).nullable(),
  parts: z.array(
    z.object({
      name: z.string(),
      source: partSourceSchema,
      mountPoints: z.array(mountPointSchema),
      /** Absolute path on this machine that was proven to be the source. */
      path: z.string(),
      /** The newest snapshot of the same part, for skipping unchanged files. */
      parentSnapshotId: objectIdSchema.nullable(),
      /** True when an earlier backup of this part held data: then an empty source fails the part. */
      mustNotBeEmpty: z.boolean(),
    }),
  ),
});

export const restoreTaskSchema = z.object({
  ...taskBase,
  kind: z.literal('restore'),
  backupId: backupIdSchema,
  parts: z.array(
    z.object({
      name: z.string(),
      snapshotId: objectIdSchema,
      treeId: objectIdSchema,
      /** Absolute path on this machine, from the target's own configuration. */
      path: z.string(),
      /** As the backup counted them: for progress only. */
      files: z.int().nonnegative(),
      bytes: z.int().nonnegative(),
    }),
  ),
});

/** Removes a backup's snapshots: the manifest first, so that no committed backup ever lacks a part. */
export const forgetTaskSchema = z.object({
  ...taskBase,
  kind: z.literal('forget'),
  backupId: backupIdSchema,
});

export const taskSpecSchema = z.discriminatedUnion('kind', [
  backupTaskSchema,
  restoreTaskSchema,
  forgetTaskSchema,
]);

export type BackupTask = z.infer<typeof backupTaskSchema>;
export type RestoreTask = z.infer<typeof restoreTaskSchema>;
export type ForgetTask = z.infer<typeof forgetTaskSchema>;
export type TaskSpec = z.infer<typeof taskSpecSchema>;
