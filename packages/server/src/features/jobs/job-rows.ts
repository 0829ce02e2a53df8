import { errorReportSchema, type JobId, progressSchema } from '@holdfast/protocol';
import { z } from 'zod';
import type { Db } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import type { JobTable } from '../../catalog/tables.ts';
import { type JobRecord, jobRequestSchema } from './job-record.ts';

/** The JSON columns of the table `job`. */
export const jobColumns = {
  request: jsonColumn('job.request', jobRequestSchema),
  progress: jsonColumn('job.progress', progressSchema),
  error: jsonColumn('job.error', errorReportSchema),
  warnings: jsonColumn('job.warnings', z.array(z.string())),
};

type JobRow = JobTable & { readonly environment_name: string };

export function selectJobs(db: Db) {
  return db
    .selectFrom('job')
    .innerJoin('environment', 'environment.id', 'job.environment_id')
    .selectAll('job')
    .select('environment.name as environment_name');
}

export async function readJob(id: JobId, db: Db): Promise<JobRecord | undefined> {
  const row = await selectJobs(db).where('job.id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toRecord(row);
}

export function toRecord(row: JobRow): JobRecord {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    environmentId: row.environment_id,
    environmentName: row.environment_name,
    backupId: row.backup_id,
    repositoryId: row.repository_id,
    request: jobColumns.request.read(row.request),
    step: row.step,
    progress: jobColumns.progress.readNullable(row.progress),
    error: jobColumns.error.readNullable(row.error),
    warnings: jobColumns.warnings.read(row.warnings),
    cancelRequested: row.cancel_requested === 1,
    createdBy: row.created_by,
    createdAtMs: row.created_at,
    startedAtMs: row.started_at,
    finishedAtMs: row.finished_at,
    epoch: row.epoch,
    leaseOwner: row.lease_owner,
  };
}
