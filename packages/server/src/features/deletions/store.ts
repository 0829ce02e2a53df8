import type { Clock } from '@holdfast/base';
import type { BackupId, BackupKind, BackupStatus, EnvironmentId } from '@holdfast/protocol';
import type { Catalog, Db, Tx } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import { backupColumns } from '../backups/backup-rows.ts';
import { seenSchema } from '../environments/environment-record.ts';

/** What a user may delete. */
export interface Deletable {
  readonly environmentId: EnvironmentId;
  /** Null: the whole environment. */
  readonly component: string | null;
}

/** A backup as a deletion sees it. */
export interface LeftBackup {
  readonly id: BackupId;
  readonly kind: BackupKind;
  readonly status: BackupStatus;
  readonly createdAtMs: number;
  readonly bytes: number;
  readonly components: readonly string[];
  readonly pinReason: string | null;
  readonly isDoubtful: boolean;
}

/** What was deleted, and what is left of it. Each change is wholly in its transaction. */
export interface DeletionStore {
  /** False where it is deleted already. */
  mark(what: Deletable, tx: Tx): Promise<boolean>;
  /** False where it was not deleted. */
  takeBack(what: Deletable, tx: Tx): Promise<boolean>;
  /** Until the transaction ends nobody takes it back; false where somebody has. */
  hold(what: Deletable, tx: Tx): Promise<boolean>;
  /** Newest first: all of an environment's, or those that hold nothing but the component. */
  backups(what: Deletable, db?: Db): Promise<readonly LeftBackup[]>;
  /** Whether anything was ever known of a component: in a backup, or set for it. */
  isKnown(environmentId: EnvironmentId, component: string): Promise<boolean>;
  /** Drops a component's settings, what was last seen of it, and that it was deleted. */
  forgetComponent(environmentId: EnvironmentId, component: string, tx: Tx): Promise<void>;
  /** Whether nothing waits for it any more: no backup, no job, no prune, no restore to be completed. */
  isEmpty(id: EnvironmentId, db?: Db): Promise<boolean>;
  /** Drops all that the catalog has of an environment that is deleted, inactive and empty; false for any other. */
  forgetEnvironment(id: EnvironmentId, tx: Tx): Promise<boolean>;
}

const seenColumn = jsonColumn('environment.seen', seenSchema);

export function createDeletionStore(catalog: Catalog, clock: Clock): DeletionStore {
  async function isEmpty(id: EnvironmentId, db: Db): Promise<boolean> {
    const found = await Promise.all([
      db.selectFrom('backup').select('id').where('environment_id', '=', id).limit(1).execute(),
      db
        .selectFrom('job')
        .select('id')
        .where('environment_id', '=', id)
        .where('state', 'in', ['queued', 'running'])
        .limit(1)
        .execute(),
      db.selectFrom('restore_journal').select('job_id').where('environment_id', '=', id).execute(),
      db
        .selectFrom('repository_care')
        .innerJoin('repository', 'repository.id', 'repository_care.repository_id')
        .select('repository.id')
        .where('repository.environment_id', '=', id)
        // None is ever pruned that no vault holds.
        .where('repository.initialized_at', 'is not', null)
        .where('repository_care.prune_wanted_at', 'is not', null)
        .execute(),
    ]);
    return found.every((rows) => rows.length === 0);
  }

  return {
    mark: async ({ environmentId, component }, tx) => {
      if (component === null) {
        const { numUpdatedRows } = await tx
          .updateTable('environment')
          .set({ deleted_at: clock.now() })
          .where('id', '=', environmentId)
          .where('deleted_at', 'is', null)
          .executeTakeFirstOrThrow();
        return numUpdatedRows === 1n;
      }
      const { numInsertedOrUpdatedRows } = await tx
        .insertInto('component_deletion')
        .values({ environment_id: environmentId, component, deleted_at: clock.now() })
        .onConflict((conflict) => conflict.columns(['environment_id', 'component']).doNothing())
        .executeTakeFirstOrThrow();
      return numInsertedOrUpdatedRows === 1n;
    },

    takeBack: async ({ environmentId, component }, tx) => {
      if (component === null) {
        const { numUpdatedRows } = await tx
          .updateTable('environment')
          .set({ deleted_at: null })
          .where('id', '=', environmentId)
          .where('deleted_at', 'is not', null)
          .executeTakeFirstOrThrow();
        return numUpdatedRows === 1n;
      }
      const { numDeletedRows } = await tx
        .deleteFrom('component_deletion')
        .where('environment_id', '=', environmentId)
        .where('component', '=', component)
        .executeTakeFirstOrThrow();
      return numDeletedRows === 1n;
    },

    hold: async ({ environmentId, component }, tx) => {
      // An update that changes nothing locks the row where others could write meanwhile.
      const query =
        component === null
          ? tx
              .updateTable('environment')
              .set((row) => ({ deleted_at: row.ref('deleted_at') }))
              .where('id', '=', environmentId)
              .where('deleted_at', 'is not', null)
          : tx
              .updateTable('component_deletion')
              .set((row) => ({ deleted_at: row.ref('deleted_at') }))
              .where('environment_id', '=', environmentId)
              .where('component', '=', component);
      return (await query.executeTakeFirstOrThrow()).numUpdatedRows === 1n;
    },

    backups: async ({ environmentId, component }, db = catalog.db) => {
      const rows = await db
        .selectFrom('backup')
        .select(['id', 'kind', 'status', 'created_at', 'bytes', 'components', 'pin_reason', 'doubt'])
        .where('environment_id', '=', environmentId)
        .orderBy('made_no', 'desc')
        .execute();
      const all = rows.map((row) => ({
        id: row.id,
        kind: row.kind,
        status: row.status,
        createdAtMs: row.created_at,
        bytes: row.bytes ?? 0,
        components: backupColumns.components.read(row.components),
        pinReason: row.pin_reason,
        isDoubtful: row.doubt !== null,
      }));
      if (component === null) return all;
      const whole = await withCode(environmentId, db);
      return all.filter(
        ({ id, components }) => components.length === 1 && components[0] === component && !whole.has(id),
      );
    },

    isKnown: async (environmentId, component) => {
      const settings = await catalog.db
        .selectFrom('component_setting')
        .select('component')
        .where('environment_id', '=', environmentId)
        .where('component', '=', component)
        .execute();
      if (settings.length > 0) return true;
      const rows = await catalog.db
        .selectFrom('backup')
        .select('components')
        .distinct()
        .where('environment_id', '=', environmentId)
        .execute();
      return rows.some((row) => backupColumns.components.read(row.components).includes(component));
    },

    forgetComponent: async (environmentId, component, tx) => {
      for (const table of ['component_setting', 'component_deletion'] as const) {
        await tx
          .deleteFrom(table)
          .where('environment_id', '=', environmentId)
          .where('component', '=', component)
          .execute();
      }
      const row = await tx
        .selectFrom('environment')
        .select('seen')
        .where('id', '=', environmentId)
        .executeTakeFirst();
      if (row === undefined) return;
      const seen = seenColumn.read(row.seen);
      const changed = {
        ...seen,
        components: seen.components.filter(({ name }) => name !== component),
        crons: seen.crons.filter((cron) => cron.component !== component),
      };
      await tx
        .updateTable('environment')
        .set({ seen: seenColumn.write(changed) })
        .where('id', '=', environmentId)
        .execute();
    },

    isEmpty: async (id, db = catalog.db) => await isEmpty(id, db),

    forgetEnvironment: async (id, tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('environment')
        .set((row) => ({ deleted_at: row.ref('deleted_at') }))
        .where('id', '=', id)
        .where('deleted_at', 'is not', null)
        .where('state', '=', 'inactive')
        .executeTakeFirstOrThrow();
      if (numUpdatedRows === 0n || !(await isEmpty(id, tx))) return false;
      for (const table of tablesOfEnvironment) {
        await tx.deleteFrom(table).where('environment_id', '=', id).execute();
      }
      await tx.deleteFrom('environment').where('id', '=', id).execute();
      return true;
    },
  };
}

/** Where rows are of an environment; what refers to these goes with them. */
const tablesOfEnvironment = [
  'component_deletion',
  'component_setting',
  'environment_policy',
  'environment_schedule',
  'schedule_run',
  'job',
  'repository',
] as const;

/** Backups that were taken of the whole environment: only these have code. */
async function withCode(environmentId: EnvironmentId, db: Db): Promise<ReadonlySet<BackupId>> {
  const rows = await db
    .selectFrom('part')
    .innerJoin('backup', 'backup.id', 'part.backup_id')
    .select(['part.backup_id', 'part.source'])
    .where('backup.environment_id', '=', environmentId)
    .execute();
  const ofCode = rows.filter(({ source }) => backupColumns.source.read(source).kind === 'code');
  return new Set(ofCode.map((row) => row.backup_id));
}
