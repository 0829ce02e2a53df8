import { z } from 'zod';
import { logLineSchema } from '../backup-record.ts';
import { errorReportSchema } from '../error-report.ts';
import { backupIdSchema, environmentIdSchema, jobIdSchema, timeMsSchema } from '../ids.ts';
import { progressSchema } from '../task/mover-event.ts';
import { route } from './route.ts';

export const jobKindSchema = z.enum([
  'backup',
  'import',
  'adopt',
  'restore',
  'preview',
  'delete',
  'revise',
  'prune',
  'inspect',
]);

/** `queued` → `running` → one of `done`, `warnings`, `failed`, `cancelled`, which are final. */
export const jobStateSchema = z.enum(['queued', 'running', 'done', 'warnings', 'failed', 'cancelled']);

export const jobSchema = z
  .object({
    id: jobIdSchema,
    kind: jobKindSchema,
    state: jobStateSchema,
    environmentId: environmentIdSchema,
    environmentName: z.string(),
    backupId: backupIdSchema.nullable(),
    /** The step that is under way, as a user would say it; empty before the first. */
    step: z.string(),
    progress: progressSchema.nullable(),
    error: errorReportSchema.nullable(),
    warnings: z.array(z.string()),
    cancelRequested: z.boolean(),
    createdBy: z.string(),
    createdAtMs: timeMsSchema,
    startedAtMs: timeMsSchema.nullable(),
    finishedAtMs: timeMsSchema.nullable(),
  })
  .meta({ id: 'Job' });

/** What `GET /jobs/{id}/events` sends: the whole job whenever it changed, and each new log line once. */
export const jobEventSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('job'), job: jobSchema }),
    z.object({ type: z.literal('log'), line: logLineSchema }),
  ])
  .meta({ id: 'JobEvent' });

const jobParams = z.object({ job: jobIdSchema });

export const jobRoutes = {
  'job.list': route({
    method: 'GET',
    path: '/jobs',
    right: 'job:read',
    summary: 'Jobs, newest first',
    query: z.object({
      environment: z.string().optional(),
      state: jobStateSchema.optional(),
      limit: z.coerce.number().int().min(1).max(1000).optional(),
    }),
    status: 200,
    response: z.object({ jobs: z.array(jobSchema) }),
  }),
  'job.get': route({
    method: 'GET',
    path: '/jobs/{job}',
    right: 'job:read',
    summary: 'One job',
    params: jobParams,
    status: 200,
    response: jobSchema,
  }),
  'job.events': route({
    method: 'GET',
    path: '/jobs/{job}/events',
    right: 'job:read',
    summary: 'Follow a job: server-sent events until it ends',
    params: jobParams,
    status: 200,
    response: jobEventSchema,
    streams: true,
  }),
  'job.cancel': route({
    method: 'POST',
    path: '/jobs/{job}/cancel',
    right: 'job:cancel',
    summary: 'Ask a job to stop',
    params: jobParams,
    status: 202,
    response: jobSchema,
  }),
};

export type Job = z.infer<typeof jobSchema>;
export type JobKind = z.infer<typeof jobKindSchema>;
export type JobState = z.infer<typeof jobStateSchema>;
export type JobEvent = z.infer<typeof jobEventSchema>;

export function isJobOver(state: JobState): boolean {
  return state !== 'queued' && state !== 'running';
}
