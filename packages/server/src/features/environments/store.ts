import type { Clock } from '@holdfast/base';
import { type EnvironmentId, isJobOver, type NodeId } from '@holdfast/protocol';
import type { Catalog, Db, Tx } from '../../catalog/catalog.ts';
import type { Ids } from '../../catalog/ids.ts';
import { jsonColumn } from '../../catalog/json-column.ts';
import type { ComponentDeletionTable } from '../../catalog/tables.ts';
import {
  beingAdopted,
  type DeletedComponent,
  type DiscoveredEnvironment,
  type EnvironmentRecord,
  seenSchema,
} from './environment-record.ts';

/** Environments as rows: what was ever seen on a node, and how it was last seen. */
export interface EnvironmentStore {
  /**
   * Takes over what a node shows now: new environments get a row, known ones their new state, and those that are not
   * among them become inactive, keeping what was last seen of them. One that was deleted stays so; a component that is
   * there again is deleted no more.
   */
  sync(nodeId: NodeId, discovered: readonly DiscoveredEnvironment[]): Promise<void>;
  /** Makes one that has nothing yet. Undefined where the node has one of this name. */
  add(environment: NewEnvironment, tx: Tx): Promise<EnvironmentId | undefined>;
  /** By name, then node. Not those that are nothing yet: see `beingAdopted`. */
  list(db?: Db): Promise<readonly EnvironmentRecord[]>;
  get(id: EnvironmentId, db?: Db): Promise<EnvironmentRecord | undefined>;
}

/** One that is to be made of a backup. */
export interface NewEnvironment {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly type: EnvironmentRecord['type'];
  readonly folder: string | null;
}

export interface EnvironmentStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: Ids;
}

const seenColumn = jsonColumn('environment.seen', seenSchema);

export function createEnvironmentStore({ catalog, clock, ids }: EnvironmentStoreOptions): EnvironmentStore {
  async function upsert(nodeId: NodeId, environment: DiscoveredEnvironment, tx: Tx): Promise<EnvironmentId> {
    const now = clock.now();
    const values = {
      project: environment.project,
      type: environment.type,
      folder: environment.folder,
      seen: seenColumn.write(environment.seen),
      state: 'active' as const,
      last_seen_at: now,
    };
    const { id } = await tx
      .insertInto('environment')
      .values({
        id: ids.environment(),
        node_id: nodeId,
        name: environment.name,
        first_seen_at: now,
        ...values,
      })
      .onConflict((conflict) => conflict.columns(['node_id', 'name']).doUpdateSet(values))
      .returning('id')
      .executeTakeFirstOrThrow();
    await takeBackDeletions(id, environment, tx);
    return id;
  }

  return {
    sync: async (nodeId, discovered) => {
      await catalog.write(async (tx) => {
        // In one order on every server, so that two of them that sync at once do not wait for each other in a circle.
        const sorted = [...discovered].sort((a, b) => (a.name < b.name ? -1 : 1));
        const active: EnvironmentId[] = [];
        for (const environment of sorted) active.push(await upsert(nodeId, environment, tx));
        let gone = tx
          .updateTable('environment')
          .set({ state: 'inactive' })
          .where('node_id', '=', nodeId)
          .where('state', '=', 'active');
        if (active.length > 0) gone = gone.where('id', 'not in', active);
        await gone.execute();
      });
    },

    add: async ({ nodeId, name, type, folder }, tx) => {
      const now = clock.now();
      const added = await tx
        .insertInto('environment')
        .values({
          id: ids.environment(),
          node_id: nodeId,
          name,
          project: name,
          type,
          folder,
          seen: seenColumn.write({ components: [], mounts: [], crons: [] }),
          state: 'inactive',
          first_seen_at: now,
          last_seen_at: now,
        })
        .onConflict((conflict) => conflict.columns(['node_id', 'name']).doNothing())
        .returning('id')
        .executeTakeFirst();
      return added?.id;
    },

    list: async (db = catalog.db) => {
      const rows = await selectEnvironments(db)
        .where('environment.project', '!=', beingAdopted)
        .orderBy('environment.name')
        .orderBy('node.name')
        .execute();
      const deleted = Map.groupBy(await selectDeletions(db).execute(), (each) => each.environment_id);
      return rows.map((row) => toRecord(row, deleted.get(row.id) ?? []));
    },

    get: async (id, db = catalog.db) => {
      const row = await selectEnvironments(db).where('environment.id', '=', id).executeTakeFirst();
      if (row === undefined) return undefined;
      return toRecord(row, await selectDeletions(db).where('environment_id', '=', id).execute());
    },
  };
}

type EnvironmentRow = Awaited<ReturnType<ReturnType<typeof selectEnvironments>['execute']>>[number];

function selectEnvironments(db: Db) {
  return db
    .selectFrom('environment')
    .innerJoin('node', 'node.id', 'environment.node_id')
    .leftJoin('restore_journal', 'restore_journal.environment_id', 'environment.id')
    .leftJoin('job as restore_job', 'restore_job.id', 'restore_journal.job_id')
    .selectAll('environment')
    .select('node.name as node_name')
    .select([
      'restore_journal.job_id as journal_job_id',
      'restore_journal.backup_id as journal_backup_id',
      'restore_journal.started_at as journal_started_at',
      'restore_journal.reason as journal_reason',
      'restore_job.state as restore_state',
    ])
    .select((row) =>
      row
        .selectFrom('backup')
        .select('backup.created_at')
        .whereRef('backup.environment_id', '=', 'environment.id')
        .where('backup.status', '=', 'ready')
        .where('backup.doubt', 'is', null)
        .where('backup.kind', 'in', ['manual', 'automated'])
        .orderBy('backup.created_at', 'desc')
        .limit(1)
        .as('last_backup_at'),
    );
}

function selectDeletions(db: Db) {
  return db.selectFrom('component_deletion').selectAll().orderBy('component');
}

async function takeBackDeletions(id: EnvironmentId, { seen }: DiscoveredEnvironment, tx: Tx): Promise<void> {
  const names = seen.components.map(({ name }) => name);
  if (names.length === 0) return;
  await tx
    .deleteFrom('component_deletion')
    .where('environment_id', '=', id)
    .where('component', 'in', names)
    .execute();
}

function toRecord(row: EnvironmentRow, deletions: readonly ComponentDeletionTable[]): EnvironmentRecord {
  const { journal_job_id: jobId, journal_backup_id: backupId } = row;
  const { journal_started_at: startedAtMs, journal_reason: reason } = row;
  const hasJournal = jobId !== null && backupId !== null && startedAtMs !== null && reason !== null;
  // While its job runs, a restore is under way: not unfinished, but what keeps the environment busy.
  const isOver = row.restore_state === null || isJobOver(row.restore_state);
  return {
    id: row.id,
    nodeId: row.node_id,
    nodeName: row.node_name,
    project: row.project,
    name: row.name,
    type: row.type,
    folder: row.folder,
    state: row.state,
    seen: seenColumn.read(row.seen),
    firstSeenAtMs: row.first_seen_at,
    lastSeenAtMs: row.last_seen_at,
    lastBackupAtMs: row.last_backup_at,
    unfinishedRestore: hasJournal && isOver ? { jobId, backupId, startedAtMs, reason } : null,
    deletedAtMs: row.deleted_at,
    deletedComponents: deletions.map(toDeleted),
  };
}

function toDeleted({ component: name, deleted_at: deletedAtMs }: ComponentDeletionTable): DeletedComponent {
  return { name, deletedAtMs };
}
