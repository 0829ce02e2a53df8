import { type EnvironmentId, scheduleIdSchema } from '@holdfast/protocol';
import { z } from 'zod';
import type { Catalog, Db } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import { backupColumns } from '../backups/backup-rows.ts';
import type { RetainedBackup } from '../policies/verdict.ts';

/** A backup as retention sees it, with its components. */
export interface RetentionRow extends Omit<RetainedBackup, 'isWhole'> {
  readonly components: readonly string[];
}

export interface RetentionStore {
  /** All of an environment's, in the order in which they were made. */
  backups(environmentId: EnvironmentId, db?: Db): Promise<readonly RetentionRow[]>;
}

const schedulesColumn = jsonColumn('schedule_run.schedules', z.array(scheduleIdSchema));

export function createRetentionStore(catalog: Catalog): RetentionStore {
  return {
    backups: async (environmentId, db = catalog.db) => {
      const rows = await db
        .selectFrom('backup')
        .leftJoin('schedule_run', 'schedule_run.backup_id', 'backup.id')
        .select(['backup.id', 'backup.kind', 'backup.status', 'backup.created_at', 'backup.expires_at'])
        .select(['backup.pin_reason', 'backup.doubt', 'backup.components', 'schedule_run.schedules'])
        .where('backup.environment_id', '=', environmentId)
        .orderBy('backup.made_no')
        .execute();
      return rows.map((row) => ({
        id: row.id,
        kind: row.kind,
        status: row.status,
        createdAtMs: row.created_at,
        expiresAtMs: row.expires_at,
        isPinned: row.pin_reason !== null,
        isDoubtful: row.doubt !== null,
        components: backupColumns.components.read(row.components),
        madeFor: schedulesColumn.readNullable(row.schedules),
      }));
    },
  };
}
