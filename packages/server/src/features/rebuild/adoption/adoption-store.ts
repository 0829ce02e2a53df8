import type { Clock } from '@holdfast/base';
import type { EnvironmentId, JobId, NodeId, VaultId } from '@holdfast/protocol';
import type { Catalog, Tx } from '../../../catalog/catalog.ts';
import type { Ids } from '../../../catalog/ids.ts';
import { jsonColumn } from '../../../catalog/json-column.ts';
import { beingAdopted, seenSchema } from '../../environments/environment-record.ts';
import { maintenanceKinds } from '../../jobs/job-record.ts';
import { jobColumns } from '../../jobs/job-rows.ts';

/** An environment by its name or id, and what of it stands in the way of an adoption. */
export interface CandidateEnvironment {
  readonly id: EnvironmentId;
  readonly name: string;
  /** No container of it is there, and it has no repository in any vault. */
  readonly isNothingYet: boolean;
  /** Of its repository in this vault. */
  readonly folder: string | undefined;
}

/** Rows of what is being adopted: a job needs an environment before anybody knows whether there will be one. */
export interface AdoptionStore {
  /** Of whatever node, by its id or name. */
  candidates(idOrName: string, vaultId: VaultId, tx: Tx): Promise<readonly CandidateEnvironment[]>;
  /** Makes one that nobody is shown until `show`; the one of this name that is there is the answer. */
  hold(name: string, nodeId: NodeId, tx: Tx): Promise<EnvironmentId>;
  /** From then on it is one like others. */
  show(id: EnvironmentId, tx: Tx): Promise<void>;
  /** A job that is about to adopt, or adopts, the same folder. */
  unfinishedIn(vaultId: VaultId, folder: string, tx: Tx): Promise<JobId | undefined>;
  /** Every folder of the vault that has a row, whether it was made there already or not. */
  foldersOf(vaultId: VaultId): Promise<readonly string[]>;
  /**
   * The job is of the environment that it has found. Where that has another unfinished job, it stays where it is: one
   * environment has one.
   */
  moveJob(id: JobId, to: EnvironmentId, tx: Tx): Promise<void>;
}

export interface AdoptionStoreOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: Ids;
}

const seenColumn = jsonColumn('environment.seen', seenSchema);

export function createAdoptionStore({ catalog, clock, ids }: AdoptionStoreOptions): AdoptionStore {
  return {
    candidates: async (idOrName, vaultId, tx) => {
      const rows = await tx
        .selectFrom('environment')
        .select(['id', 'name', 'state'])
        .where((is) => is.or([is('name', '=', idOrName), is('id', '=', idOrName as EnvironmentId)]))
        .orderBy('id')
        .execute();
      return await Promise.all(
        rows.map(async ({ id, name, state }) => {
          const repositories = await tx
            .selectFrom('repository')
            .select(['vault_id', 'folder'])
            .where('environment_id', '=', id)
            .execute();
          const isNothingYet = state === 'inactive' && repositories.length === 0;
          const folder = repositories.find((each) => each.vault_id === vaultId)?.folder;
          return { id, name, isNothingYet, folder };
        }),
      );
    },

    hold: async (name, nodeId, tx) => {
      const now = clock.now();
      await tx
        .insertInto('environment')
        .values({
          id: ids.environment(),
          node_id: nodeId,
          name,
          project: beingAdopted,
          type: 'production',
          folder: null,
          seen: seenColumn.write({ components: [], mounts: [], crons: [] }),
          state: 'inactive',
          first_seen_at: now,
          last_seen_at: now,
        })
        .onConflict((conflict) => conflict.columns(['node_id', 'name']).doNothing())
        .execute();
      const { id } = await tx
        .selectFrom('environment')
        .select('id')
        .where('node_id', '=', nodeId)
        .where('name', '=', name)
        .executeTakeFirstOrThrow();
      return id;
    },

    show: async (id, tx) => {
      await tx
        .updateTable('environment')
        .set((row) => ({ project: row.ref('name') }))
        .where('id', '=', id)
        .where('project', '=', beingAdopted)
        .execute();
    },

    unfinishedIn: async (vaultId, folder, tx) => {
      const rows = await tx
        .selectFrom('job')
        .select(['id', 'request'])
        .where('kind', '=', 'adopt')
        .where('state', 'in', ['queued', 'running'])
        .execute();
      return rows.find(({ request: text }) => {
        const request = jobColumns.request.read(text);
        return request.kind === 'adopt' && request.vaultId === vaultId && request.folder === folder;
      })?.id;
    },

    foldersOf: async (vaultId) => {
      const rows = await catalog.db
        .selectFrom('repository')
        .select('folder')
        .where('vault_id', '=', vaultId)
        .execute();
      return rows.map(({ folder }) => folder);
    },

    moveJob: async (id, to, tx) => {
      const { environment_id: from } = await tx
        .selectFrom('job')
        .select('environment_id')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const other = await tx
        .selectFrom('job')
        .select('id')
        .where('environment_id', '=', to)
        .where('state', 'in', ['queued', 'running'])
        .where('kind', 'not in', maintenanceKinds)
        .executeTakeFirst();
      if (from === to || other !== undefined) return;
      await tx.updateTable('job').set({ environment_id: to }).where('id', '=', id).execute();
      const left = await tx
        .selectFrom('job')
        .select('id')
        .where('environment_id', '=', from)
        .executeTakeFirst();
      if (left !== undefined) return;
      const ofNobody = tx.deleteFrom('environment').where('id', '=', from);
      await ofNobody.where('project', '=', beingAdopted).execute();
    },
  };
}
