import type { Clock } from '@holdfast/base';
import type {
  BackupId,
  BackupStatus,
  EnvironmentId,
  ErrorReportBody,
  JobId,
  SealedPart,
} from '@holdfast/protocol';
import type { Catalog, Db, Tx } from '../../catalog/catalog.ts';
import type {
  BackupFilter,
  BackupMatch,
  BackupPage,
  BackupRecord,
  BackupWithParts,
  CommittedBackup,
  NewBackup,
} from './backup-record.ts';
import {
  backupColumns,
  nextMadeNo,
  readParts,
  selectBackups,
  toBackup,
  toPart,
  toPartRow,
} from './backup-rows.ts';

const unfinished: readonly BackupStatus[] = ['queued', 'running', 'importing'];

/** Most ids that a prefix which is too short is answered with. */
const ambiguousLimit = 10;

/**
 * Backups as rows.
 *
 *     queued → running, importing → ready → deleting → (row removed)
 *        └────────────┴────→ failed, cancelled → deleting → (row removed)
 *
 * The marks change a row only from the states that may come before, and say whether they did.
 */
export interface BackupStore {
  /** Queued, in the transaction that makes its job. */
  create(backup: NewBackup, tx: Tx): Promise<void>;
  markRunning(id: BackupId, db?: Db): Promise<boolean>;
  /** The same for one that comes from outside. */
  markImporting(id: BackupId, db?: Db): Promise<boolean>;
  /** Parts, sizes, manifest and `ready`: all in the transaction. */
  markReady(id: BackupId, committed: CommittedBackup, tx: Tx): Promise<boolean>;
  markFailed(id: BackupId, error: ErrorReportBody, db?: Db): Promise<boolean>;
  markCancelled(id: BackupId, db?: Db): Promise<boolean>;
  markDeleting(id: BackupId, db?: Db): Promise<boolean>;
  /** Null: not any more. */
  setPin(id: BackupId, reason: string | null, tx: Tx): Promise<void>;
  /** Why it is not taken for good; null: it is. */
  setDoubt(id: BackupId, doubt: string | null, tx: Tx): Promise<void>;
  /** The good ones made before this one, newest first; not safety backups, and not imported ones. */
  goodBefore(id: BackupId, limit: number): Promise<readonly Pick<BackupRecord, 'id' | 'components'>[]>;
  /** A later revision of its manifest took the place of the one before. */
  markRevised(id: BackupId, manifestSnapshotId: string, tx: Tx): Promise<void>;
  /** Until the transaction ends, no other one that holds the backup goes on. */
  hold(id: BackupId, tx: Tx): Promise<void>;
  /** Removes the row and its parts: its snapshots are gone. */
  remove(id: BackupId, db?: Db): Promise<void>;
  get(id: BackupId, db?: Db): Promise<BackupWithParts | undefined>;
  /** Whether this one is automated, and the automated one before it of the same components has failed. */
  failedBefore(id: BackupId, db: Db): Promise<boolean>;
  /** The safety backup that this restore made. */
  safetyOf(jobId: JobId): Promise<BackupWithParts | undefined>;
  /** By id, or by the beginning of one, with or without `bak_`. */
  find(idOrPrefix: string): Promise<BackupMatch>;
  /** Newest first. */
  list(filter: BackupFilter): Promise<BackupPage>;
  /**
   * The parts of the environment's newest ready backup that has each, by name: parents for the next one. Safety backups
   * are none: what they hold may be the very state that somebody wanted to get rid of. Neither are imported ones: they
   * know no file of this machine.
   */
  lastReadyParts(environmentId: EnvironmentId): Promise<ReadonlyMap<string, SealedPart>>;
}

export interface BackupStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
}

export function createBackupStore({ catalog, clock }: BackupStoreOptions): BackupStore {
  async function get(id: BackupId, db: Db): Promise<BackupWithParts | undefined> {
    const row = await selectBackups(db).where('backup.id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : { ...toBackup(row), parts: await readParts(id, db) };
  }

  return {
    create: async (backup, tx) => {
      await tx
        .insertInto('backup')
        .values({
          id: backup.id,
          environment_id: backup.environmentId,
          repository_id: backup.repositoryId,
          job_id: backup.jobId,
          kind: backup.kind,
          mode: backup.mode,
          status: 'queued',
          description: backup.description,
          components: backupColumns.components.write([...backup.components]),
          created_by: backup.createdBy,
          created_at: backup.createdAtMs,
          finished_at: null,
          expires_at: backup.expiresAtMs,
          bytes: null,
          stored_bytes: null,
          manifest_snapshot_id: null,
          error: null,
          capture: null,
          made_no: nextMadeNo(backup.environmentId, tx),
          pin_reason: null,
          doubt: null,
        })
        .execute();
    },

    markRunning: async (id, db = catalog.db) =>
      await changed(mark(id, ['queued', 'running'], db).set({ status: 'running' })),

    markImporting: async (id, db = catalog.db) =>
      await changed(mark(id, ['queued', 'importing'], db).set({ status: 'importing' })),

    markReady: async (id, { mode, capture, parts, manifestSnapshotId, finishedAtMs }, tx) => {
      const isChanged = await changed(
        mark(id, unfinished, tx).set({
          status: 'ready',
          mode,
          capture: backupColumns.capture.write(capture),
          finished_at: finishedAtMs,
          bytes: sum(parts.map((part) => part.bytes)),
          stored_bytes: sum(parts.map((part) => part.storedBytes)),
          manifest_snapshot_id: manifestSnapshotId,
          error: null,
        }),
      );
      if (!isChanged) return false;
      if (parts.length > 0) {
        await tx
          .insertInto('part')
          .values(parts.map((part, position) => toPartRow(id, part, position)))
          .execute();
      }
      return true;
    },

    markFailed: async (id, error, db = catalog.db) =>
      await changed(
        mark(id, unfinished, db).set({
          status: 'failed',
          finished_at: clock.now(),
          error: backupColumns.error.write(error),
        }),
      ),

    markCancelled: async (id, db = catalog.db) =>
      await changed(mark(id, unfinished, db).set({ status: 'cancelled', finished_at: clock.now() })),

    markDeleting: async (id, db = catalog.db) =>
      await changed(
        mark(id, ['ready', 'failed', 'cancelled', 'damaged', 'deleting'], db).set({ status: 'deleting' }),
      ),

    setPin: async (id, reason, tx) => {
      await tx.updateTable('backup').set({ pin_reason: reason }).where('id', '=', id).execute();
    },

    setDoubt: async (id, doubt, tx) => {
      await tx.updateTable('backup').set({ doubt }).where('id', '=', id).execute();
    },

    goodBefore: async (id, limit) => {
      const rows = await catalog.db
        .selectFrom('backup')
        .innerJoin('backup as later', 'later.environment_id', 'backup.environment_id')
        .select(['backup.id', 'backup.components'])
        .where('later.id', '=', id)
        .whereRef('backup.made_no', '<', 'later.made_no')
        .where('backup.status', '=', 'ready')
        .where('backup.doubt', 'is', null)
        .where('backup.kind', 'in', ['manual', 'automated'])
        .orderBy('backup.made_no', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ id: row.id, components: backupColumns.components.read(row.components) }));
    },

    markRevised: async (id, manifestSnapshotId, tx) => {
      await tx
        .updateTable('backup')
        .set({ manifest_snapshot_id: manifestSnapshotId })
        .where('id', '=', id)
        .where('manifest_snapshot_id', 'is not', null)
        .execute();
    },

    hold: async (id, tx) => {
      await tx
        .updateTable('backup')
        .set((row) => ({ status: row.ref('status') }))
        .where('id', '=', id)
        .execute();
    },

    remove: async (id, db = catalog.db) => {
      await db.deleteFrom('backup').where('id', '=', id).execute();
    },

    get: async (id, db = catalog.db) => await get(id, db),

    failedBefore: async (id, db) => {
      const row = await db
        .selectFrom('backup')
        .innerJoin('backup as before', (join) =>
          join
            .onRef('before.environment_id', '=', 'backup.environment_id')
            .onRef('before.components', '=', 'backup.components')
            .onRef('before.made_no', '<', 'backup.made_no'),
        )
        .select('before.status')
        .where('backup.id', '=', id)
        .where('backup.kind', '=', 'automated')
        .where('before.kind', '=', 'automated')
        .orderBy('before.made_no', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row?.status === 'failed';
    },

    safetyOf: async (jobId) => {
      const row = await catalog.db
        .selectFrom('backup')
        .select('id')
        .where('job_id', '=', jobId)
        .where('kind', '=', 'safety')
        .executeTakeFirst();
      return row === undefined ? undefined : await get(row.id, catalog.db);
    },

    find: async (idOrPrefix) => {
      const prefix = idOrPrefix.startsWith('bak_') ? idOrPrefix : `bak_${idOrPrefix}`;
      const rows = await catalog.db
        .selectFrom('backup')
        .select('id')
        .where('id', '>=', prefix as BackupId)
        .where('id', '<', `${prefix}~` as BackupId)
        .orderBy('id')
        .limit(ambiguousLimit)
        .execute();
      const [first, second] = rows;
      if (first === undefined) return { found: 'none' };
      if (second !== undefined) return { found: 'several', ids: rows.map((row) => row.id) };
      const backup = await get(first.id, catalog.db);
      return backup === undefined ? { found: 'none' } : { found: 'one', backup };
    },

    list: async ({ environmentId, kind, notKind, status, limit, after }) => {
      let query = selectBackups(catalog.db);
      if (environmentId !== undefined) query = query.where('backup.environment_id', '=', environmentId);
      if (kind !== undefined) query = query.where('backup.kind', '=', kind);
      if (notKind !== undefined) query = query.where('backup.kind', '!=', notKind);
      if (status !== undefined) query = query.where('backup.status', '=', status);
      if (after !== undefined) {
        query = query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('backup.created_at', 'backup.id'), '<', tuple(after.createdAtMs, after.id)),
        );
      }
      const rows = await query
        .orderBy('backup.created_at', 'desc')
        .orderBy('backup.id', 'desc')
        .limit(limit + 1)
        .execute();
      const backups = rows.slice(0, limit).map(toBackup);
      const last = backups.at(-1);
      const isMore = rows.length > limit && last !== undefined;
      return { backups, next: isMore ? { createdAtMs: last.createdAtMs, id: last.id } : null };
    },

    lastReadyParts: async (environmentId) => {
      const rows = await catalog.db
        .selectFrom((from) =>
          from
            .selectFrom('part')
            .innerJoin('backup', 'backup.id', 'part.backup_id')
            .selectAll('part')
            .select((row) =>
              row.fn
                .agg<number>('row_number')
                .over((over) =>
                  over
                    .partitionBy('part.name')
                    .orderBy('backup.created_at', 'desc')
                    .orderBy('backup.id', 'desc'),
                )
                .as('age'),
            )
            .where('backup.environment_id', '=', environmentId)
            .where('backup.status', '=', 'ready')
            .where('backup.kind', 'not in', ['safety', 'imported'])
            .as('aged'),
        )
        .selectAll('aged')
        .where('aged.age', '=', 1)
        .execute();
      return new Map(rows.map((row) => [row.name, toPart(row)]));
    },
  };
}

function mark(id: BackupId, from: readonly BackupStatus[], db: Db) {
  return db.updateTable('backup').where('id', '=', id).where('status', 'in', from);
}

async function changed(query: {
  executeTakeFirstOrThrow(): Promise<{ readonly numUpdatedRows: bigint }>;
}): Promise<boolean> {
  return (await query.executeTakeFirstOrThrow()).numUpdatedRows === 1n;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
