import {
  type BackupId,
  captureFactsSchema,
  type EnvironmentId,
  errorReportSchema,
  mountPointSchema,
  partSourceSchema,
  type SealedPart,
} from '@holdfast/protocol';
import { z } from 'zod';
import type { Db } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import type { BackupTable, PartTable } from '../../catalog/tables.ts';
import type { BackupRecord } from './backup-record.ts';

/** The JSON columns of the tables `backup` and `part`. */
export const backupColumns = {
  components: jsonColumn('backup.components', z.array(z.string())),
  error: jsonColumn('backup.error', errorReportSchema),
  capture: jsonColumn('backup.capture', captureFactsSchema),
  source: jsonColumn('part.source', partSourceSchema),
  mountPoints: jsonColumn('part.mount_points', z.array(mountPointSchema)),
};

type BackupRow = BackupTable & { readonly environment_name: string };

export function selectBackups(db: Db) {
  return db
    .selectFrom('backup')
    .innerJoin('environment', 'environment.id', 'backup.environment_id')
    .selectAll('backup')
    .select('environment.name as environment_name');
}

/** The next number in the order in which an environment's backups are made. */
export function nextMadeNo(environmentId: EnvironmentId, db: Db) {
  return db
    .selectFrom('backup')
    .select((row) => row(row.fn.coalesce(row.fn.max('made_no'), row.lit(0)), '+', row.lit(1)).as('made_no'))
    .where('environment_id', '=', environmentId);
}

export async function readParts(backupId: BackupId, db: Db): Promise<readonly SealedPart[]> {
  const rows = await db
    .selectFrom('part')
    .selectAll()
    .where('backup_id', '=', backupId)
    .orderBy('position')
    .execute();
  return rows.map(toPart);
}

export function toBackup(row: BackupRow): BackupRecord {
  return {
    id: row.id,
    environmentId: row.environment_id,
    environmentName: row.environment_name,
    repositoryId: row.repository_id,
    kind: row.kind,
    mode: row.mode,
    status: row.status,
    description: row.description,
    components: backupColumns.components.read(row.components),
    createdBy: row.created_by,
    createdAtMs: row.created_at,
    finishedAtMs: row.finished_at,
    expiresAtMs: row.expires_at,
    bytes: row.bytes,
    storedBytes: row.stored_bytes,
    capture: backupColumns.capture.readNullable(row.capture),
    manifestSnapshotId: row.manifest_snapshot_id,
    error: backupColumns.error.readNullable(row.error),
    jobId: row.job_id,
    madeNo: row.made_no,
    pinReason: row.pin_reason,
    doubt: row.doubt,
  };
}

export function toPart(row: PartTable): SealedPart {
  return {
    name: row.name,
    source: backupColumns.source.read(row.source),
    mountPoints: backupColumns.mountPoints.read(row.mount_points),
    snapshotId: row.snapshot_id,
    treeId: row.tree_id,
    files: row.files,
    bytes: row.bytes,
    storedBytes: row.stored_bytes,
  };
}

export function toPartRow(backupId: BackupId, part: SealedPart, position: number): PartTable {
  return {
    backup_id: backupId,
    position,
    name: part.name,
    source: backupColumns.source.write(part.source),
    mount_points: backupColumns.mountPoints.write(part.mountPoints),
    snapshot_id: part.snapshotId,
    tree_id: part.treeId,
    files: part.files,
    bytes: part.bytes,
    stored_bytes: part.storedBytes,
  };
}
