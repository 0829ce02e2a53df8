import { z } from 'zod';
import { errorReportSchema } from '../error-report.ts';
import { backupIdSchema, timeMsSchema } from '../ids.ts';
import { environmentSchema, mountSchema } from './environment-routes.ts';
import { jobSchema } from './job-routes.ts';
import { nodeSchema } from './node-routes.ts';
import { notificationSchema } from './notification-routes.ts';
import { route } from './route.ts';
import { vaultSchema } from './vault-routes.ts';

export const problemKinds = [
  'node-unreachable',
  'restore-unfinished',
  'never-backed-up',
  'backup-failed',
  'backup-doubtful',
  'run-late',
  'schedule-problem',
  'schedule-missing',
  'mounts-left-out',
  'writes-outside-mounts',
  'backups-damaged',
  'vault-missing',
  'vault-failing',
  'vault-nearly-full',
  'notification-failing',
  'jobs-waiting',
] as const;

export const problemSchema = z
  .object({
    kind: z.enum(problemKinds),
    /** The name of what it is about; null where it is of no one thing. */
    subject: z.string().nullable(),
    /** What is wrong, as a sentence. */
    message: z.string(),
    /** A command line that helps, or tells more. */
    command: z.string(),
  })
  .meta({ id: 'Problem' });

const madeBackupSchema = z.object({ id: backupIdSchema, createdAtMs: timeMsSchema });

export const environmentStatusSchema = environmentSchema
  .pick({
    id: true,
    name: true,
    nodeName: true,
    state: true,
    isReachable: true,
    unfinishedRestore: true,
    deletion: true,
  })
  .extend({
    /** Active and not deleted, with a good backup and a schedule, and without data that no backup has. */
    isProtected: z.boolean(),
    /** Ready ones, of any kind. */
    backups: z.int().nonnegative(),
    damagedBackups: z.int().nonnegative(),
    /** Imported and safety backups are none of the environment itself. */
    lastGoodBackup: madeBackupSchema.nullable(),
    /** The last backup, where it has failed. */
    lastFailedBackup: madeBackupSchema.extend({ error: errorReportSchema.nullable() }).nullable(),
    /** The last backup that is ready, where it is doubtful. */
    doubtfulBackup: madeBackupSchema.extend({ doubt: z.string() }).nullable(),
    hasSchedule: z.boolean(),
    nextRunAtMs: timeMsSchema.nullable(),
    /** Why it is not backed up as its schedule says. */
    scheduleProblem: z.string().nullable(),
    /** Mounts that are in no backup, but for those that are left out on purpose or by their nature. */
    mountsLeftOut: z.array(mountSchema.pick({ name: true, mountPoints: true, reason: true })),
    /** Components that write to their containers, outside any mount; null where nobody could look. */
    writesOutsideMounts: z.array(z.string()).nullable(),
  })
  .meta({ id: 'EnvironmentStatus' });

export const statusSchema = z
  .object({
    atMs: timeMsSchema,
    environments: z.array(environmentStatusSchema),
    /** Null, as all below, to a token that lacks the right to read it. */
    nodes: z.array(nodeSchema.pick({ id: true, name: true, status: true, error: true })).nullable(),
    vaults: z
      .array(
        vaultSchema
          .pick({
            id: true,
            name: true,
            location: true,
            status: true,
            problem: true,
            checkedAtMs: true,
          })
          .extend({
            /** Of its file system or its capacity. Null where nobody can tell. */
            freeBytes: z.number().nonnegative().nullable(),
            totalBytes: z.number().positive().nullable(),
            isNearlyFull: z.boolean(),
          }),
      )
      .nullable(),
    notifications: z
      .array(
        notificationSchema.pick({
          id: true,
          name: true,
          queued: true,
          failed: true,
          lastDeliveredAtMs: true,
          lastError: true,
        }),
      )
      .nullable(),
    /** Those that wait or are under way. */
    jobs: z.array(jobSchema).nullable(),
    /** What needs a person, as far as the token may read it; the most urgent first. */
    problems: z.array(problemSchema),
  })
  .meta({ id: 'Status' });

export const statusRoutes = {
  'status.get': route({
    method: 'GET',
    path: '/status',
    right: 'environment:read',
    summary: 'What is protected, what is not, and what needs a person',
    status: 200,
    response: statusSchema,
  }),
};

export type ProblemKind = (typeof problemKinds)[number];
export type Problem = z.infer<typeof problemSchema>;
export type EnvironmentStatus = z.infer<typeof environmentStatusSchema>;
export type Status = z.infer<typeof statusSchema>;
