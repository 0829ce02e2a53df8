import { z } from 'zod';
import { backupStatusSchema } from '../backup-record.ts';
import { backupIdSchema, environmentIdSchema, timeMsSchema } from '../ids.ts';
import { projectSettingsSchema, scheduleIdSchema } from '../policy.ts';
import { route } from './route.ts';

export const scheduleSchema = z
  .object({
    id: scheduleIdSchema,
    /** Null: the whole environment. */
    component: z.string().nullable(),
    /** When it is due, in words. */
    due: z.string(),
    /** What is kept of it, in words. */
    keeps: z.string(),
    timezone: z.string(),
    /** Since when it is as it is. */
    sinceMs: timeMsSchema,
    /** The newest backup that was made for it. */
    lastRun: z
      .object({
        backupId: backupIdSchema,
        atMs: timeMsSchema,
        status: backupStatusSchema,
        /** Why it failed. */
        reason: z.string().nullable(),
      })
      .nullable(),
    /** When it was last passed over although it was due, and why; null if a run began since. */
    skipped: z.object({ atMs: timeMsSchema, reason: z.string() }).nullable(),
  })
  .meta({ id: 'Schedule' });

export const environmentScheduleSchema = z
  .object({
    environmentId: environmentIdSchema,
    environmentName: z.string(),
    project: z.string(),
    type: z.enum(['production', 'staging', 'development']),
    /** Who said it: nobody, its project, or it was set for the environment. */
    source: z.enum(['default', 'project', 'environment']),
    schedules: z.array(scheduleSchema),
    /** The next ones, as things stand; each backup serves the schedules that are named. */
    nextRuns: z.array(z.object({ atMs: timeMsSchema, schedules: z.array(scheduleIdSchema) })),
    maxBackups: z.int().nullable(),
    manualCount: z.int().nullable(),
    /** What labels or settings say that cannot be followed. */
    warnings: z.array(z.string()),
  })
  .meta({ id: 'EnvironmentSchedule' });

export const explainedBackupSchema = z
  .object({
    /** Of one that is foreseen: `foreseen-1` and so on. */
    id: z.string(),
    createdAtMs: timeMsSchema,
    kind: z.string(),
    status: z.string(),
    /** What keeps it, in words; empty where nothing does. */
    keptBy: z.array(z.string()),
    /** Until when, in words; null where no end can be foreseen. */
    end: z.string().nullable(),
    /** Why it is removed; null for one that stays. */
    removedBy: z.string().nullable(),
  })
  .meta({ id: 'ExplainedBackup' });

export const policyExplanationSchema = z
  .object({
    environmentName: z.string(),
    /** Those that there are. */
    backups: z.array(explainedBackupSchema),
    /** What is to come, if each automated backup succeeds and nobody makes or deletes any. */
    events: z.array(
      z.object({
        atMs: timeMsSchema,
        kind: z.enum(['taken', 'removed']),
        id: z.string(),
        /** For which schedules, or by which rule. */
        why: z.string(),
      }),
    ),
    /** What is there at the end. */
    atEnd: z.array(explainedBackupSchema),
    untilMs: timeMsSchema,
  })
  .meta({ id: 'PolicyExplanation' });

const projectParams = z.object({ project: z.string().min(1) });
const environmentParams = z.object({ environment: z.string().min(1) });

export const scheduleRoutes = {
  'project.settings': route({
    method: 'GET',
    path: '/projects/{project}/settings',
    right: 'environment:read',
    summary: 'What is set for the environments of a project; what is not there has its default',
    params: projectParams,
    status: 200,
    response: projectSettingsSchema,
  }),
  'project.change': route({
    method: 'PATCH',
    path: '/projects/{project}/settings',
    right: 'environment:write',
    summary:
      'Change settings: what is left out stays as it is, null goes back to the default, a list is replaced as a whole',
    params: projectParams,
    /** A `ProjectSettingsChange`; the server tells every fault of it. */
    body: z.looseObject({ data_retention: z.unknown().optional() }),
    status: 200,
    response: projectSettingsSchema,
  }),
  'schedule.get': route({
    method: 'GET',
    path: '/environments/{environment}/schedule',
    right: 'environment:read',
    summary: 'When an environment is backed up by itself, what comes next, and what became of it last',
    params: environmentParams,
    status: 200,
    response: environmentScheduleSchema,
  }),
  'schedule.set': route({
    method: 'PATCH',
    path: '/environments/{environment}/schedule',
    right: 'environment:write',
    summary: 'Back up at chosen hours of chosen weekdays; null goes back to what the project says',
    params: environmentParams,
    /** A `BackupPolicy` or null; the server tells every fault of it. */
    body: z.looseObject({ backup_policy: z.unknown() }),
    status: 200,
    response: environmentScheduleSchema,
  }),
  'policy.explain': route({
    method: 'GET',
    path: '/environments/{environment}/policy',
    right: 'environment:read',
    summary: 'What is kept, by which rule, and what the coming days bring',
    params: environmentParams,
    query: z.object({ days: z.coerce.number().int().min(1).max(366).optional() }),
    status: 200,
    response: policyExplanationSchema,
  }),
};

export type EnvironmentSchedule = z.infer<typeof environmentScheduleSchema>;
export type PolicyExplanation = z.infer<typeof policyExplanationSchema>;
export type ExplainedBackup = z.infer<typeof explainedBackupSchema>;
