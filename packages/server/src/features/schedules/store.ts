import type { Clock } from '@holdfast/base';
import {
  type BackupId,
  type BackupPolicy,
  backupPolicySchema,
  type EnvironmentId,
  type ErrorReportBody,
  type ProjectSettings,
  projectSettingsSchema,
  type ScheduleId,
  scheduleIdSchema,
} from '@holdfast/protocol';
import { z } from 'zod';
import type { Catalog, Db, Tx } from '../../catalog/catalog.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import type { EnvironmentScheduleTable } from '../../catalog/tables.ts';
import { backupColumns } from '../backups/backup-rows.ts';
import type { Run } from '../policies/due.ts';
import type { Timing } from '../policies/schedule.ts';

/** An automated backup, as far as its schedules go. */
export interface KnownRun extends Run {
  readonly backupId: BackupId;
  readonly schedules: readonly ScheduleId[];
  readonly error: ErrorReportBody | null;
}

export interface NewRun {
  readonly backupId: BackupId;
  readonly environmentId: EnvironmentId;
  readonly begunAtMs: number;
  readonly schedules: readonly ScheduleId[];
}

/** What is remembered of a schedule. */
export interface ScheduleNote {
  readonly sinceMs: number;
  /** When and why it was last passed over although it was due. */
  readonly skipped: { readonly atMs: number; readonly reason: string } | null;
}

/** What was set for projects and environments, and what became of their schedules. */
export interface ScheduleStore {
  projectSettings(project: string, db?: Db): Promise<ProjectSettings>;
  /** Changes them in one step: nobody else's change in between is lost. */
  changeProject(
    project: string,
    change: (settings: ProjectSettings) => ProjectSettings,
  ): Promise<ProjectSettings>;
  /** Undefined where nothing is set for the environment itself. */
  environmentPolicy(id: EnvironmentId, db?: Db): Promise<BackupPolicy | undefined>;
  setEnvironmentPolicy(id: EnvironmentId, policy: BackupPolicy | null): Promise<void>;
  /**
   * Since when each schedule is as it is now: one that is new, or is due at other times than before, since now. Those that
   * are not among them are forgotten.
   */
  noteSchedules(
    id: EnvironmentId,
    schedules: readonly { readonly id: ScheduleId; readonly timing: Timing; readonly timezone: string }[],
  ): Promise<ReadonlyMap<ScheduleId, ScheduleNote>>;
  noteSkipped(id: EnvironmentId, schedules: readonly ScheduleId[], reason: string): Promise<void>;
  /** All that are known, removed ones too; in the order in which they began. */
  runs(id: EnvironmentId, db?: Db): Promise<readonly KnownRun[]>;
  /** Nobody else adds one for this environment before the transaction is over. */
  holdRuns(id: EnvironmentId, tx: Tx): Promise<void>;
  addRun(run: NewRun, tx: Tx): Promise<void>;
}

const settingsColumn = jsonColumn('project_setting.data_retention', projectSettingsSchema);
const policyColumn = jsonColumn('environment_policy.backup_policy', backupPolicySchema);
const schedulesColumn = jsonColumn('schedule_run.schedules', z.array(scheduleIdSchema));

export function createScheduleStore(catalog: Catalog, clock: Clock): ScheduleStore {
  async function projectSettings(project: string, db: Db): Promise<ProjectSettings> {
    const row = await db
      .selectFrom('project_setting')
      .select('data_retention')
      .where('project', '=', project)
      .executeTakeFirst();
    return row === undefined ? {} : settingsColumn.read(row.data_retention);
  }

  async function scheduleRows(id: EnvironmentId, db: Db): Promise<EnvironmentScheduleTable[]> {
    return await db.selectFrom('environment_schedule').selectAll().where('environment_id', '=', id).execute();
  }

  /** Those that are as they were keep what is known of them. */
  async function replaceSchedules(
    id: EnvironmentId,
    wanted: ReadonlyMap<ScheduleId, string>,
    tx: Tx,
  ): Promise<EnvironmentScheduleTable[]> {
    for (const { schedule, timing } of await scheduleRows(id, tx)) {
      if (wanted.get(schedule) === timing) continue;
      await tx
        .deleteFrom('environment_schedule')
        .where('environment_id', '=', id)
        .where('schedule', '=', schedule)
        .execute();
    }
    for (const [schedule, timing] of wanted) {
      const row = { environment_id: id, schedule, timing, since_at: clock.now() };
      await tx
        .insertInto('environment_schedule')
        .values({ ...row, skipped_at: null, skip_reason: null })
        .onConflict((conflict) => conflict.columns(['environment_id', 'schedule']).doNothing())
        .execute();
    }
    return await scheduleRows(id, tx);
  }

  return {
    projectSettings: async (project, db = catalog.db) => await projectSettings(project, db),

    changeProject: async (project, change) =>
      await catalog.write(async (tx) => {
        const empty = { project, data_retention: settingsColumn.write({}), updated_at: clock.now() };
        await tx
          .insertInto('project_setting')
          .values(empty)
          .onConflict((conflict) => conflict.column('project').doUpdateSet({ updated_at: clock.now() }))
          .execute();
        const changed = change(await projectSettings(project, tx));
        await tx
          .updateTable('project_setting')
          .set({ data_retention: settingsColumn.write(changed) })
          .where('project', '=', project)
          .execute();
        return changed;
      }),

    environmentPolicy: async (id, db = catalog.db) => {
      const row = await db
        .selectFrom('environment_policy')
        .select('backup_policy')
        .where('environment_id', '=', id)
        .executeTakeFirst();
      return row === undefined ? undefined : policyColumn.read(row.backup_policy);
    },

    setEnvironmentPolicy: async (id, policy) => {
      if (policy === null) {
        await catalog.db.deleteFrom('environment_policy').where('environment_id', '=', id).execute();
        return;
      }
      const values = { backup_policy: policyColumn.write(policy), updated_at: clock.now() };
      await catalog.db
        .insertInto('environment_policy')
        .values({ environment_id: id, ...values })
        .onConflict((conflict) => conflict.column('environment_id').doUpdateSet(values))
        .execute();
    },

    noteSchedules: async (id, schedules) => {
      const wanted = new Map(
        schedules.map(({ id: schedule, timing, timezone }) => [
          schedule,
          JSON.stringify({ timing, timezone }),
        ]),
      );
      const known = await scheduleRows(id, catalog.db);
      const isSame =
        known.length === wanted.size && known.every((row) => wanted.get(row.schedule) === row.timing);
      const rows = isSame ? known : await catalog.write(async (tx) => await replaceSchedules(id, wanted, tx));
      return new Map(rows.map((row) => [row.schedule, toNote(row)]));
    },

    noteSkipped: async (id, schedules, reason) => {
      if (schedules.length === 0) return;
      await catalog.db
        .updateTable('environment_schedule')
        .set({ skipped_at: clock.now(), skip_reason: reason })
        .where('environment_id', '=', id)
        .where('schedule', 'in', schedules)
        .execute();
    },

    runs: async (id, db = catalog.db) => {
      const rows = await db
        .selectFrom('schedule_run')
        .leftJoin('backup', 'backup.id', 'schedule_run.backup_id')
        .select(['schedule_run.backup_id', 'schedule_run.begun_at', 'schedule_run.schedules'])
        .select(['backup.status', 'backup.finished_at', 'backup.error'])
        .where('schedule_run.environment_id', '=', id)
        .orderBy('schedule_run.begun_at')
        .execute();
      return rows.map((row) => ({
        backupId: row.backup_id,
        createdAtMs: row.begun_at,
        finishedAtMs: row.finished_at,
        // What was removed since had been there.
        status: row.status ?? 'ready',
        schedules: schedulesColumn.read(row.schedules),
        error: backupColumns.error.readNullable(row.error),
      }));
    },

    holdRuns: async (id, tx) => {
      // Locks the row where others could write meanwhile; the value stays.
      await tx
        .updateTable('environment')
        .set((row) => ({ state: row.ref('state') }))
        .where('id', '=', id)
        .execute();
    },

    addRun: async ({ backupId, environmentId, begunAtMs, schedules }, tx) => {
      await tx
        .insertInto('schedule_run')
        .values({
          backup_id: backupId,
          environment_id: environmentId,
          begun_at: begunAtMs,
          schedules: schedulesColumn.write([...schedules]),
        })
        .execute();
    },
  };
}

function toNote({
  since_at: sinceMs,
  skipped_at: atMs,
  skip_reason: reason,
}: EnvironmentScheduleTable): ScheduleNote {
  return { sinceMs, skipped: atMs === null ? null : { atMs, reason: reason ?? '' } };
}
