import type {
  BackupId,
  BackupKind,
  BackupMode,
  BackupStatus,
  EnvironmentId,
  ErrorReportBody,
  JobKind,
  JobState,
} from '@holdfast/protocol';
import { sql } from 'kysely';
import type { Catalog } from '../../catalog/catalog.ts';
import type { BackupTable } from '../../catalog/tables.ts';
import { backupColumns } from '../backups/backup-rows.ts';
import { beingAdopted } from '../environments/environment-record.ts';

export interface KnownEnvironment {
  readonly id: EnvironmentId;
  readonly name: string;
  readonly nodeName: string;
  /** Any container of it is there, and nobody deleted it. */
  readonly isActive: boolean;
}

export interface BackupCount {
  readonly environmentId: EnvironmentId;
  readonly kind: BackupKind;
  readonly status: BackupStatus;
  readonly count: number;
}

/** How an environment's last backup of its sort went. */
export interface LastBackup {
  readonly id: BackupId;
  readonly environmentId: EnvironmentId;
  readonly status: 'ready' | 'failed';
  readonly mode: BackupMode;
  /** Later ones have a higher one, whatever the clock said. */
  readonly madeNo: number;
  readonly createdAtMs: number;
  /** Without the time in the queue, where that is known. */
  readonly durationMs: number | null;
  readonly bytes: number | null;
  readonly storedBytes: number | null;
  readonly frozenMs: number | null;
  readonly error: ErrorReportBody | null;
}

/** Newer than every good one. */
export interface DoubtfulBackup {
  readonly id: BackupId;
  readonly environmentId: EnvironmentId;
  readonly createdAtMs: number;
  readonly doubt: string;
}

export interface JobCount {
  readonly kind: JobKind;
  readonly state: JobState;
  readonly count: number;
}

export interface DeliveryState {
  readonly name: string;
  readonly queued: number;
  readonly failed: number;
  readonly lastDeliveredAtMs: number | null;
  /** Whether the last attempt went wrong. */
  readonly isFailing: boolean;
}

/**
 * What is told of all environments at once: each method is one statement, which reads indexes and a few rows, however
 * many backups there are.
 */
export interface StatusStore {
  /** By name, then node. */
  environments(): Promise<readonly KnownEnvironment[]>;
  backupCounts(): Promise<readonly BackupCount[]>;
  /**
   * Of each environment the newest good backup and the newest failed one, for each mode and for manual and automated
   * ones: up to eight.
   */
  lastBackups(): Promise<readonly LastBackup[]>;
  /** Of each environment the newest ready backup of its own, where that is doubtful. */
  doubtfulBackups(): Promise<readonly DoubtfulBackup[]>;
  jobCounts(): Promise<readonly JobCount[]>;
  /** When the job was queued that waits for longest; null where none waits. */
  oldestQueuedAtMs(): Promise<number | null>;
  deliveries(): Promise<readonly DeliveryState[]>;
}

type LastBackupRow = Pick<
  BackupTable,
  | 'id'
  | 'environment_id'
  | 'mode'
  | 'made_no'
  | 'created_at'
  | 'finished_at'
  | 'bytes'
  | 'stored_bytes'
  | 'capture'
  | 'error'
> & { readonly status: 'ready' | 'failed'; readonly started_at: number | null };

export function createStatusStore(catalog: Catalog): StatusStore {
  return {
    environments: async () => {
      const rows = await catalog.db
        .selectFrom('environment')
        .innerJoin('node', 'node.id', 'environment.node_id')
        .select(['environment.id', 'environment.name', 'environment.state', 'environment.deleted_at'])
        .select('node.name as node_name')
        .where('environment.project', '!=', beingAdopted)
        .orderBy('environment.name')
        .orderBy('node.name')
        .execute();
      return rows.map(({ id, name, state, deleted_at: deletedAtMs, node_name: nodeName }) => {
        return { id, name, nodeName, isActive: state === 'active' && deletedAtMs === null };
      });
    },

    backupCounts: async () => {
      const rows = await catalog.db
        .selectFrom('backup')
        .select((row) => ['environment_id', 'status', 'kind', row.fn.countAll<number>().as('count')])
        .groupBy(['environment_id', 'status', 'kind'])
        .execute();
      return rows.map(({ environment_id: environmentId, ...row }) => ({ environmentId, ...row }));
    },

    lastBackups: async () => {
      // The index `backup_of_sort` answers each of the inner selects with its last entry.
      const { rows } = await sql<LastBackupRow>`
        select backup.id, backup.environment_id, backup.status, backup.mode, backup.made_no, backup.created_at,
          backup.finished_at, backup.bytes, backup.stored_bytes, backup.capture, backup.error, job.started_at
        from environment
        cross join (select 'ready' as status union all select 'failed') as each_status
        cross join (select 'manual' as kind union all select 'automated') as each_kind
        cross join (select 'consistent' as mode union all select 'live') as each_mode
        join backup on backup.id = (
          select newest.id from backup as newest
          where newest.environment_id = environment.id and newest.status = each_status.status
            and newest.kind = each_kind.kind and newest.mode = each_mode.mode and newest.doubt is null
          order by newest.made_no desc limit 1)
        left join job on job.id = backup.job_id
      `.execute(catalog.db);
      return rows.map(toLastBackup);
    },

    doubtfulBackups: async () => {
      const rows = await catalog.db
        .selectFrom('backup')
        .select(['id', 'environment_id', 'created_at', 'doubt'])
        .where('status', '=', 'ready')
        .where('doubt', 'is not', null)
        .where((row) =>
          row.not(
            row.exists(
              row
                .selectFrom('backup as newer')
                .select('newer.id')
                .whereRef('newer.environment_id', '=', 'backup.environment_id')
                .whereRef('newer.made_no', '>', 'backup.made_no')
                .where('newer.status', '=', 'ready')
                .where('newer.kind', 'in', ['manual', 'automated']),
            ),
          ),
        )
        .execute();
      return rows.map(({ id, doubt, environment_id: environmentId, created_at: createdAtMs }) => {
        return { id, environmentId, createdAtMs, doubt: doubt ?? '' };
      });
    },

    jobCounts: async () =>
      await catalog.db
        .selectFrom('job')
        .select((row) => ['kind', 'state', row.fn.countAll<number>().as('count')])
        .groupBy(['kind', 'state'])
        .execute(),

    oldestQueuedAtMs: async () => {
      const { oldest } = await catalog.db
        .selectFrom('job')
        .select((row) => row.fn.min('created_at').as('oldest'))
        .where('state', '=', 'queued')
        .executeTakeFirstOrThrow();
      return oldest;
    },

    deliveries: async () => {
      const rows = await catalog.db
        .selectFrom('notification')
        .leftJoin('notification_delivery as delivery', (join) =>
          join
            .onRef('delivery.notification_id', '=', 'notification.id')
            .on('delivery.state', 'in', ['queued', 'failed']),
        )
        .select(['notification.name', 'notification.last_delivered_at', 'notification.last_error'])
        .select((row) => [
          row.fn.count<number>('delivery.id').filterWhere('delivery.state', '=', 'queued').as('queued'),
          row.fn.count<number>('delivery.id').filterWhere('delivery.state', '=', 'failed').as('failed'),
        ])
        .groupBy(['notification.id'])
        .orderBy('notification.name')
        .execute();
      return rows.map(({ name, queued, failed, last_delivered_at: lastDeliveredAtMs, last_error: error }) => {
        return { name, queued, failed, lastDeliveredAtMs, isFailing: error !== null };
      });
    },
  };
}

function toLastBackup(row: LastBackupRow): LastBackup {
  const { id, status, mode, bytes, created_at: createdAtMs, finished_at: finishedAtMs } = row;
  return {
    ...{ id, status, mode, bytes, createdAtMs },
    environmentId: row.environment_id,
    madeNo: row.made_no,
    durationMs: finishedAtMs === null ? null : Math.max(0, finishedAtMs - (row.started_at ?? createdAtMs)),
    storedBytes: row.stored_bytes,
    frozenMs: backupColumns.capture.readNullable(row.capture)?.frozenMs ?? null,
    error: backupColumns.error.readNullable(row.error),
  };
}

/** The one that was made last. */
export function newestOf<Backup extends Pick<LastBackup, 'madeNo'>>(
  backups: readonly Backup[],
): Backup | undefined {
  return backups.reduce<Backup | undefined>(
    (newest, each) => (newest === undefined || each.madeNo > newest.madeNo ? each : newest),
    undefined,
  );
}
